"""What is said of a photograph: words, JSON, and plates in the upper right corner."""

from dataclasses import replace

import numpy as np
import pytest

from tacit.drawing import plate
from tacit.results import Result
from tacit.tasks.tags.answer import FEWEST, PAPER, Tags


def tags(*scores, single=False):
    names = ("cat", "dog", "dining table", "sea", "sky", "beach", "boat", "sand", "sun")[: len(scores)]
    return Tags(names, np.array(scores, np.float32), single)


def result(height=120, width=160):
    nothing = np.zeros((0, 4), np.float32)
    return Result(nothing, np.zeros(0, np.float32), np.zeros(0, np.int64), (), width, height)


def drawn(answer, height=240, width=320):
    picture = np.full((height, width, 3), 200, np.uint8)
    answer.draw(picture, result(height, width))
    return (picture != 200).any(axis=2)


@pytest.mark.parametrize(
    ("answer", "shown", "said"),
    [
        (tags(0.9, 0.6, 0.4), ("cat", "dog"), "tags: cat, dog"),
        (tags(0.5, 0.4), (), ""),
        (tags(0.3, 0.2, single=True), ("cat",), "tags: cat"),
        (tags(0.6, 0.4, single=True), ("cat",), "tags: cat"),
    ],
)
def test_what_is_said(answer, shown, said):
    assert answer.shown == shown
    assert answer.summary() == said


def test_json_holds_five_tags_and_all_that_may_be():
    assert tags(0.9, 0.25).to_json() == {"cat": 0.9, "dog": 0.25}
    assert len(tags(*[0.01] * 9).to_json()) == FEWEST
    assert list(tags(*[0.2] * 7, 0.01, 0.01).to_json().values()) == [0.2] * 7


def test_plates_stand_in_the_upper_right_corner():
    paint = drawn(tags(0.9, 0.8, 0.1))
    rows, columns = paint.any(axis=1).nonzero()[0], paint.any(axis=0).nonzero()[0]
    assert rows.min() == 0
    assert columns.max() == 319
    assert rows.max() < 60
    assert columns.min() > 160
    assert not drawn(tags(0.4, 0.1)).any()


def test_more_tags_reach_lower_and_never_far_into_the_lower_half():
    heights = [drawn(tags(*[0.9] * count)).any(axis=1).sum() for count in (1, 2, 3)]
    assert heights[0] < heights[1] < heights[2]
    small = drawn(tags(*[0.9] * 9), 60, 90)
    assert not small[-12:].any()


def test_tags_of_two_tasks_stand_below_each_other():
    image = np.full((240, 320, 3), 200, np.uint8)
    answers = {"tags": tags(0.9), "birds": tags(0.8, 0.3, 0.1)}
    both = replace(result(240, 320), answers=answers, image=image)
    rows = {only: (both.draw(only) != 200).any(axis=(1, 2)).sum() for only in (None, ("tags",), ("birds",))}
    assert rows[None] == rows["tags",] + rows["birds",] > rows["birds",] > 0


@pytest.mark.parametrize("size", [(1, 1), (5, 300), (300, 5)])
def test_tiny_pictures_are_drawn_on(size):
    assert drawn(tags(0.9, 0.8), *size).any()


def test_plates_stand_on_each_other():
    picture = np.full((100, 100, 3), 200, np.uint8)
    top = plate(picture, "cat", (0, 100), PAPER)
    assert tuple(picture[top, 0]) == PAPER
    assert (picture[:top] == 200).all()
    higher = plate(picture, "cat", (0, top), PAPER)
    assert 100 - top == top - higher
