"""Captions stay only while they are true."""

import numpy as np
import pytest

from tacit.data.captions import CaptionLabels
from tacit.data.label import Move

HEIGHT, WIDTH = 48, 64
PLAIN = CaptionLabels(("A bright cat.", "A cat on the Left.", "The right-hand cat."))


def move(*rows, target=(HEIGHT, WIDTH)):
    return Move(np.array([*rows, [0, 0, 1]], np.float64), (HEIGHT, WIDTH), target)


@pytest.mark.parametrize(
    ("moved", "left"),
    [
        (move([1, 0, 0], [0, 1, 0]), 3),
        (move([2, 0, 9], [0, 2, 9], target=(200, 200)), 3),
        (move([-1, 0, WIDTH], [0, 1, 0]), 1),  # mirrored
        (move([1, 0, 0], [0, -1, HEIGHT]), 1),  # upside down, as a mirror shows it
        (move([-1, 0, WIDTH], [0, -1, HEIGHT]), 1),  # half a turn: left is right
        (move([1, 0, 19], [0, 1, 0]), 3),  # 70 % are left
        (move([1, 0, 20], [0, 1, 0]), 0),  # less
    ],
)
def test_moved(moved, left):
    found = PLAIN.moved(moved)
    assert len(found.captions if found else ()) == left


def test_nothing_left_to_say_is_no_label():
    assert CaptionLabels(("Left.",)).moved(move([-1, 0, WIDTH], [0, 1, 0])) is None


def test_no_caption_is_about_several_pictures():
    assert CaptionLabels.joined([PLAIN], [3]) is PLAIN
    assert CaptionLabels.joined([PLAIN, PLAIN], [3, 1]) is None
    assert CaptionLabels.joined([PLAIN, None], [3, 0]) is None


def test_boxes_do_not_matter():
    assert PLAIN.kept(np.array([1])) is PLAIN
    assert PLAIN.counts == {"captions": 3}
