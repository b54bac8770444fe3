"""Masks as outlines: drawn where they are, moved as the picture is, exact from COCO's run lengths and back."""

from contextlib import suppress

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pycocotools import mask as reference

from tacit.data import rle
from tacit.data.label import Move
from tacit.data.masks import MaskLabels
from tacit.data.segmentation import outline
from tacit.errors import DataError

HEIGHT, WIDTH = 48, 64


def square(left, top, right, bottom):
    return np.array([[left, top], [right, top], [right, bottom], [left, bottom]], np.float64)


def labels(*outlines, complete=None, sources=()):
    return MaskLabels(outlines, complete, sources)


def affine(angle, zoom, shift, mirror=False, target=(HEIGHT, WIDTH)):
    cosine, sine = zoom * np.cos(angle), zoom * np.sin(angle)
    matrix = np.array([[cosine, -sine, shift[0]], [sine, cosine, shift[1]], [0, 0, 1]])
    matrix = matrix @ np.diag([-1, 1, 1]) if mirror else matrix
    return Move(matrix, (HEIGHT, WIDTH), target)


moves = st.builds(
    affine, st.floats(-3, 3), st.floats(0.3, 2), st.tuples(st.floats(-9, 9), st.floats(-9, 9)), st.booleans()
)
blobs = st.lists(
    st.tuples(st.integers(0, 40), st.integers(0, 30), st.integers(6, 24), st.integers(6, 18)), min_size=1, max_size=4
)
masks = st.builds(
    lambda height, width, seed, share: np.random.default_rng(seed).random((height, width)) < share,
    st.integers(1, 12), st.integers(1, 12), st.integers(0, 999), st.floats(0, 1),
)  # fmt: skip


def test_a_pixel_belongs_to_a_mask_if_its_centre_does():
    """A hole is a ring inside a ring; parts overlap without cancelling out; an object without a mask has no row."""
    ring = ((square(1, 1, 7, 7), square(3, 3, 5, 5)),)
    two = ((square(0, 0, 3, 3),), (square(2, 2, 4, 4),))
    made = labels(None, ring, two, ((square(0.6, 0, 2.4, 1),),))
    drawn = made.raster(8, 8)
    expected = np.zeros((3, 8, 8), bool)
    expected[0, 1:7, 1:7] = True
    expected[0, 3:5, 3:5] = False
    expected[1, :3, :3] = expected[1, 2:4, 2:4] = True
    expected[2, 0, 1] = True
    assert made.rows.tolist() == [1, 2, 3]
    assert made.counts == {"masks": 3}
    assert (drawn == expected).all()


def test_a_raster_at_a_quarter_and_over_the_edges():
    drawn = labels(((square(-900, 8, 16, 1e9),),)).raster(6, 8, 0.25)
    expected = np.zeros((1, 6, 8), bool)
    expected[0, 2:, :4] = True
    assert (drawn == expected).all()
    assert labels(((square(99, 99, 120, 120),),)).raster(6, 8).sum() == 0
    assert labels(None).raster(6, 8).shape == (0, 6, 8)


def test_a_polygon_holds_the_points_that_opencv_finds_in_it():
    polygon = np.array([[3.2, 2.1], [60.3, 20.7], [31.1, 15.2], [11.1, 45.9]], np.float32)
    drawn = labels(((polygon.astype(np.float64),),)).raster(HEIGHT, WIDTH)[0]
    centres = [[(x + 0.5, y + 0.5) for x in range(WIDTH)] for y in range(HEIGHT)]
    expected = [[cv2.pointPolygonTest(polygon, point, False) > 0 for point in row] for row in centres]
    assert (drawn == expected).all()


@given(blobs, moves)
def test_an_outline_moves_as_the_picture_does(boxes, move):
    outline = tuple((square(x, y, x + w, y + h),) for x, y, w, h in boxes)
    before = labels(outline).raster(HEIGHT, WIDTH)[0]
    after = labels(outline).moved(move).raster(*move.target)[0]
    half = np.array([[1, 0, 0.5], [0, 1, 0.5], [0, 0, 1]])  # OpenCV counts from the first pixel's centre
    matrix = np.linalg.inv(half) @ move.matrix @ half
    warped = cv2.warpAffine(before.astype(np.float32), matrix[:2], (WIDTH, HEIGHT), flags=cv2.INTER_LINEAR)
    inner, outer = warped > 0.99, warped > 0.01
    assert (after[inner]).mean() > 0.95 if inner.any() else True
    assert not (after & ~cv2.dilate(outer.astype(np.uint8), np.ones((3, 3), np.uint8)).astype(bool)).any()


@given(moves, moves)
def test_one_move_after_another_is_their_product(first, second):
    made = labels(((square(5, 6, 20, 30), square(8, 9, 12, 12)),), None)
    both = Move(second.matrix @ first.matrix, first.source, second.target)
    one, other = made.moved(first).moved(second).outlines[0], made.moved(both).outlines[0]
    assert all(np.allclose(a, b, atol=1e-9) for a, b in zip(one[0], other[0], strict=True))


def test_what_a_perspective_hides_is_left_out():
    behind = Move(np.array([[1.0, 0, 0], [0, 1, 0], [-0.1, 0, 1]]), (HEIGHT, WIDTH), (HEIGHT, WIDTH))
    moved = labels(((square(20, 5, 30, 9),),), ((square(1, 1, 5, 5),),), complete=None).moved(behind)
    assert moved.outlines[0] is None
    assert moved.outlines[1] is not None


def test_joined_masks_are_complete_in_what_every_part_is():
    first, second = labels(((square(0, 0, 2, 2),),), complete=None), labels(None, complete=frozenset({1, 2}))
    assert MaskLabels.joined([first, second], [1, 1]).complete == {1, 2}
    assert MaskLabels.joined([first, first], [1, 1]).complete is None
    joined = MaskLabels.joined([first, None, second], [1, 2, 1])
    assert [found is None for found in joined.outlines] == [False, True, True, True]
    assert joined.complete == frozenset()
    assert MaskLabels.joined([first, None], [1, 0]).complete == frozenset()
    third = joined.kept(np.array([3, 0]))
    assert [found is None for found in third.outlines] == [True, False]


def test_sources_follow_the_rows_until_the_picture_moves():
    made = labels(None, ((square(0, 0, 2, 2),),), sources=(None, [[0, 0, 2, 0, 2, 2]]))
    assert made.kept(np.array([1])).sources == ([[0, 0, 2, 0, 2, 2]],)
    assert made.moved(affine(0, 1, (0, 0))).sources == ()


def test_renamed_classes():
    assert labels(complete=None).renamed(np.array([4, 7])).complete == {4, 7}
    assert labels(complete=frozenset({1})).renamed(np.array([4, 7])).complete == {7}


@given(masks)
def test_run_lengths_are_read_as_the_reference_writes_them(mask):
    height, width = mask.shape
    coded = reference.encode(np.asfortranarray(mask.astype(np.uint8)))
    text = {"size": [height, width], "counts": coded["counts"].decode()}
    assert (rle.decoded(text, width, height) == mask).all()
    flat = mask.T.reshape(-1)
    edges = np.flatnonzero(np.diff(flat)) + 1
    runs = np.diff(np.concatenate([[0], *([[0]] if flat[0] else []), edges, [flat.size]])).tolist()
    assert (rle.decoded({"size": [height, width], "counts": runs}, width, height) == mask).all()


@given(st.integers(0, 99))
def test_long_run_lengths_are_read_as_the_reference_writes_them(seed):
    mask = cv2.resize((np.random.default_rng(seed).random((5, 7)) < 0.4).astype(np.uint8), (301, 203))
    coded = reference.encode(np.asfortranarray(mask))
    text = {"size": coded["size"], "counts": coded["counts"].decode()}
    assert (rle.decoded(text, 301, 203) == mask.astype(bool)).all()


@given(masks)
def test_the_outline_of_a_mask_draws_the_same_mask(mask):
    found = rle.outline_of(mask)
    assert bool(found) == bool(mask.any())
    drawn = labels(found or None).raster(*mask.shape)
    assert (drawn == mask[None][: len(drawn)]).all()


def test_the_outline_of_a_pixel_is_its_edge():
    ((ring,),) = rle.outline_of(np.eye(5, dtype=bool)[3:4])
    assert sorted(map(tuple, ring.tolist())) == [(3, 0), (3, 1), (4, 0), (4, 1)]


@settings(max_examples=300)
@given(st.text(max_size=12) | st.lists(st.integers(-3, 2**70) | st.floats() | st.text(), max_size=5) | st.none())
def test_no_counts_can_do_harm(counts):
    """Whatever is stated is a mask of the right size or an error, and takes no memory before that is known."""
    with suppress(DataError):
        assert rle.decoded({"size": [9, 8], "counts": counts}, 8, 9).shape == (9, 8)


@pytest.mark.parametrize(
    ("segmentation", "word"),
    [
        ([[1, 2, 3, 4]], "2 points"),
        ([[1, 2, 3, 4, 5, 6, 7]], "3.5 points"),
        ([1, 2, 3, 4, 5, 6], "0 points"),
        ([[1, 2, float("nan"), 4, 5, 6]], "no finite number"),
        ([["1", 2, 3, 4, 5, 6]], "no finite number"),
        ("word", "neither"),
        ({"size": [48, 60], "counts": [48 * 60]}, "60 x 48"),
        ({"size": [48, 64], "counts": [48 * 64]}, "no pixel"),
        ({"size": [48, 64], "counts": [7, 9]}, "add up"),
        ({"size": [48, 64], "counts": "oooooooooooooooooo0"}, "add up"),
        ({"counts": [7, 9]}, "no size"),
    ],
)
def test_unsound_segmentations(segmentation, word):
    with pytest.raises(DataError, match=word):
        outline(segmentation, WIDTH, HEIGHT)
