"""Keypoints move with the picture; in a mirror left and right change places."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from tacit.data.figure import PERSON, Figure
from tacit.data.keypoints import KeypointLabels, pairs_of
from tacit.data.label import Move

FIGURE = Figure(("nose", "left_eye", "right_eye"), ((0, 1), (0, 2)))
HEIGHT, WIDTH = 48, 64

numbers = st.integers(0, 48)
objects = st.lists(
    st.none() | st.lists(st.tuples(numbers, numbers, st.integers(0, 2)), min_size=3, max_size=3), max_size=4
)


def made(stated) -> KeypointLabels:
    return FIGURE.labels([None if points is None else np.array(points, np.float64) for points in stated])


def move(*rows, target=(HEIGHT, WIDTH)):
    return Move(np.array([*rows, [0, 0, 1]], np.float64), (HEIGHT, WIDTH), target)


MIRROR = move([-1, 0, WIDTH], [0, 1, 0])


def same(one, other):
    return all(np.array_equal(getattr(one, key), getattr(other, key)) for key in ("points", "visible", "known"))


def test_values():
    found = made([[(1, 2, 2), (3, 4, 1), (5, 6, 0)], None])
    assert found.points.tolist() == [[[1, 2], [3, 4], [0, 0]], [[0, 0]] * 3]
    assert found.visible.tolist() == [[2, 1, 0], [0, 0, 0]]
    assert found.known.tolist() == [True, False]
    assert found.counted.tolist() == [2, 0]
    assert found.counts == {"objects with keypoints": 1}


def test_pairs_are_found_by_name():
    assert made([]).pairs == ((1, 2),)
    assert len(pairs_of(PERSON.names)) == 8
    assert pairs_of(("left", "right", "left_ear", "tail")) == ((0, 1),)


def test_a_mirror_swaps_left_and_right():
    found = made([[(1, 2, 2), (3, 4, 1), (5, 6, 2)]]).moved(MIRROR)
    assert found.points.tolist() == [[[63, 2], [59, 6], [61, 4]]]
    assert found.visible.tolist() == [[2, 2, 1]]


@given(objects)
def test_mirrored_twice_is_not_mirrored(stated):
    found = made(stated)
    assert same(found.moved(MIRROR).moved(MIRROR), found)


@given(objects, st.integers(0, 9), st.integers(0, 9), st.booleans())
def test_one_move_after_another_is_their_product(stated, right, down, mirror):
    first = move([1, 0, right], [0, 1, down], target=(HEIGHT + 9, WIDTH + 9))
    rows = ([-2, 0, 2 * WIDTH + 18], [0, 2, 0]) if mirror else ([2, 0, 0], [0, 2, 0])
    second = Move(np.array([*rows, [0, 0, 1]], np.float64), first.target, (2 * HEIGHT + 18, 2 * WIDTH + 18))
    both = Move(second.matrix @ first.matrix, first.source, second.target)
    assert same(made(stated).moved(first).moved(second), made(stated).moved(both))


def test_a_point_that_leaves_the_picture_is_not_labelled():
    found = made([[(1, 2, 2), (40, 4, 1), (5, 6, 2)]]).moved(move([1, 0, 30], [0, 1, -5]))
    assert found.visible.tolist() == [[0, 0, 2]]
    assert found.points.tolist() == [[[0, 0], [0, 0], [35, 1]]]
    assert found.known.all()


@given(objects, objects)
def test_joined_and_kept_again(first, second):
    one, other = made(first), made(second)
    joined = KeypointLabels.joined([one, None, other], [len(first), 2, len(second)])
    rows = np.arange(len(first) + 2 + len(second))
    assert same(joined.kept(rows[: len(first)]), one)
    assert same(joined.kept(rows[len(first) + 2 :]), other)
    assert not joined.known[len(first) : len(first) + 2].any()


def test_joined_with_other_points_they_are_unknown():
    other = Figure(("head", "tail")).labels([np.ones((2, 3))])
    joined = KeypointLabels.joined([made([[(1, 2, 2)] * 3]), other], [1, 1])
    assert joined.names == FIGURE.names
    assert joined.known.tolist() == [True, False]
