"""Maps drawn and told, and things and stuff in one panoptic map."""

import json

import numpy as np
import pytest

from tacit.data.segments import ids_of
from tacit.drawing import colour_of
from tacit.geometry.letterbox import plan_letterbox
from tacit.results import Result
from tacit.tasks.scene.answer import VEIL, SceneMap, scene_map
from tacit.tasks.scene.panoptic import instance_masks, panoptic

NAMES = ("other", "grass", "cat")


def result(scores=(), classes=(), names=("dog", "cat"), size=(60, 90), **answers):
    count = len(scores)
    return Result(
        boxes=np.zeros((count, 4), np.float32),
        scores=np.array(scores, np.float32),
        classes=np.array(classes, np.int64).reshape(count),
        names=names,
        width=size[1],
        height=size[0],
        image=np.full((*size, 3), 100, np.uint8),
        answers=answers,
    )


@pytest.fixture
def halves():
    """60 x 90: other above, grass below, a cat in the lower right corner."""
    classes = np.zeros((60, 90), np.uint8)
    classes[30:], classes[50:, 80:] = 1, 2
    return SceneMap(classes, NAMES)


def masks(*windows, size=(60, 90)):
    whole = np.zeros((len(windows), *size), bool)
    for mask, (x0, y0, x1, y1) in zip(whole, windows, strict=True):
        mask[y0:y1, x0:x1] = True
    return whole.__getitem__


def test_shares_are_told(halves):
    assert halves.to_json() == {"other": 0.5, "grass": pytest.approx(0.4815), "cat": pytest.approx(0.0185)}
    json.dumps(halves.to_json())
    assert halves.summary() == "scene: 48% grass, 2% cat"
    assert SceneMap(np.zeros((4, 4), np.uint8), NAMES).summary() == ""


def test_drawing_veils_classes_in_the_colour_of_their_boxes(halves):
    picture = np.full((60, 90, 3), 100, np.uint8)
    halves.draw(picture, result())
    assert (picture[:30] == 100).all()  # "other" is left clear
    veiled = np.rint(100 * (1 - VEIL) + VEIL * np.array(colour_of(1)))  # cat is class 1 of boxes
    np.testing.assert_array_equal(picture[55, 85], veiled)
    assert not (picture[55, 5] == picture[55, 85]).all()


def test_a_name_is_written_where_there_is_room():
    classes = np.zeros((200, 300), np.uint8)
    classes[100:] = 1
    large, small = SceneMap(classes, NAMES), SceneMap(np.where(np.arange(300) < 8, classes, 0).astype(np.uint8), NAMES)
    for scene, written in ((large, True), (small, False)):
        picture = np.full((200, 300, 3), 100, np.uint8)
        scene.draw(picture, result(size=(200, 300)))
        colours = np.unique(picture[100:][scene.classes[100:] == 1], axis=0)
        assert (len(colours) > 1) is written


def test_drawn_with_a_result(halves):
    drawn = result(scene=halves).draw()
    assert (drawn[:30] == 100).all()
    assert not (drawn[40:] == 100).all(-1).any()


def test_the_map_is_interpolated_between_cells():
    """A border between two scores that are equally far apart lies half way."""
    scores = np.zeros((2, 4, 4), np.float32)
    scores[1, :, 2:] = 1
    scores[0, :, :2] = 1
    found = scene_map(scores, NAMES[:2], plan_letterbox((16, 16), 16))
    assert (found.classes[:, :8] == 0).all()
    assert (found.classes[:, 8:] == 1).all()


def test_a_large_photograph_is_answered_at_its_own_size():
    scores = np.random.default_rng(0).normal(size=(3, 8, 12)).astype(np.float32)
    found = scene_map(scores, NAMES, plan_letterbox((300, 450), (32, 48)))
    assert found.classes.shape == (300, 450)
    assert set(np.unique(found.classes)) == set(np.unique(scores.argmax(0)))


def test_things_come_before_stuff(halves):
    """The best thing first; one that is hidden by more than half is left out; grass is stuff, cat is a thing."""
    found = result((0.9, 0.8, 0.7, 0.1), (1, 0, 0, 0))
    windows = masks((0, 20, 20, 40), (15, 20, 40, 40), (0, 20, 22, 40), (50, 0, 60, 10))
    made = panoptic(halves, found, windows)
    assert [(one.name, one.thing) for one in made.segments] == [("cat", True), ("dog", True), ("grass", False)]
    assert made.ids[25, 3] == made.ids[25, 19] == 1
    assert made.ids[25, 25] == 2
    assert made.ids[45, 45] == 3
    assert made.ids[5, 55] == 0  # of too low a score
    assert made.ids[55, 85] == 0  # a cat in the scene that no mask shows
    assert made.segments[0].score == pytest.approx(0.9)


def test_panoptic_pictures_go_there_and_back(halves):
    made = panoptic(halves, result((0.9,), (1,)), masks((0, 0, 10, 10)))
    np.testing.assert_array_equal(ids_of(made.to_rgb()), made.ids)
    assert [(one["id"], one["category"], one["area"]) for one in made.to_json()] == [
        (1, "cat", 100),
        (2, "grass", 2600),
    ]
    wide = np.array([[0, 255, 256], [65536, 16777215, 70000]])
    assert (ids_of(type(made)(wide, ()).to_rgb()) == wide).all()


def test_an_answer_with_masks_is_found(halves):
    class Masks(SceneMap):
        def mask(self, index):
            return self.classes == index

    assert instance_masks(result(scene=halves)) is None
    with_masks = Masks(halves.classes, NAMES)
    assert instance_masks(result(scene=halves, segment=with_masks)) is with_masks
