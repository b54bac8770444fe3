"""Boxes on pictures: where the paint goes, where it does not, and that no input breaks it."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tacit.drawing import colour_of, draw_boxes, line_width, veil

NAMES = ("person", "cat", "dining table")


def grey(height=240, width=320):
    return np.full((height, width, 3), 90, np.uint8)


def draw(image, *boxes, classes=None, scores=None):
    classes = np.zeros(len(boxes), np.int64) if classes is None else np.array(classes)
    return draw_boxes(image, np.array(boxes, np.float32).reshape(-1, 4), classes, NAMES, scores)


def test_original_is_not_touched():
    image = grey()
    assert (draw(image, (20, 50, 200, 200)) != image).any()
    assert (image == 90).all()


def test_no_boxes_leave_an_equal_copy():
    image = grey()
    picture = draw(image)
    assert (picture == image).all()
    assert picture is not image


def test_line_stands_on_the_box_and_the_inside_is_free():
    picture = draw(grey(), (100, 100, 200, 180))
    assert tuple(picture[179, 150]) == colour_of(0)
    assert tuple(picture[140, 100]) == colour_of(0)
    assert (picture[110:170, 110:190] == 90).all()


def test_first_box_is_on_top():
    box = (100, 100, 200, 180)
    assert tuple(draw(grey(), box, box, classes=[1, 2])[179, 150]) == colour_of(1)


def test_read_only_and_strided_pictures_are_drawn_on():
    image = grey()[:, ::-1]
    image.flags.writeable = False
    assert (draw(image, (20, 50, 200, 200)) != 90).any()


@pytest.mark.parametrize(
    "box",
    [(0, 0, 30, 30), (290, 0, 320, 30), (0, 200, 40, 240), (-50, -50, 400, 300), (310, 230, 500, 500)],
    ids=["top left", "top right", "bottom left", "all over", "over the edge"],
)
def test_plate_stays_inside_the_picture(box):
    """The plate's colour fills a rectangle as wide as in the middle of the picture, wherever the box is."""
    boxed = draw(grey(), box, classes=[2])
    middle = draw(grey(), (100, 100, 220, 200), classes=[2])
    paint = (boxed == colour_of(2)).all(axis=2).sum(axis=1).max()
    plate = (middle == colour_of(2)).all(axis=2)[:100].sum(axis=1).max()
    assert paint >= plate


def test_a_long_name_is_made_to_fit():
    picture = draw_boxes(
        grey(60, 80), np.array([[10, 30, 60, 50]], np.float32), np.array([0]), ["a very long name of a class indeed"]
    )
    row = (picture == colour_of(0)).all(axis=2).any(axis=0)
    assert row.sum() > 60


def test_a_box_that_is_not_finite_is_left_out():
    assert (draw(grey(), (np.nan, 0, 10, 10), (0, np.inf, 10, 10)) == 90).all()


def test_neighbouring_classes_differ_and_colours_stay():
    colours = np.array([colour_of(i) for i in range(80)], int)
    steps = np.abs(colours[1:] - colours[:-1]).sum(axis=1)
    assert steps.min() > 90
    assert len({colour_of(i) for i in range(80)}) == 80
    assert colour_of(0) == (25, 148, 255)


def test_a_veil_is_the_rounded_mean_of_every_level_and_of_the_region_alone():
    levels = np.arange(256, dtype=np.uint8).repeat(6).reshape(256, 2, 3)
    region = np.array([True, False]) & np.ones((256, 1), bool)
    picture, colour = levels[::-1].copy(), (25, 148, 255)
    veil(picture, region, colour, 0.45, ground=levels)
    np.testing.assert_array_equal(picture[:, 0], np.rint(levels[:, 0] * 0.55 + np.array(colour) * 0.45))
    np.testing.assert_array_equal(picture[:, 1], levels[::-1, 1])


@pytest.mark.parametrize(("side", "width"), [(64, 1), (640, 3), (1920, 8)])
def test_line_width_grows_with_the_picture(side, width):
    assert line_width(grey(side, side)) == width


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.tuples(*[st.floats(-1e9, 1e9, width=32) for _ in range(4)]), max_size=3),
    st.integers(1, 90),
    st.integers(1, 90),
)
def test_any_box_on_any_size_keeps_the_shape(boxes, height, width):
    assert draw(grey(height, width), *boxes, scores=np.full(len(boxes), 0.5, np.float32)).shape == (height, width, 3)
