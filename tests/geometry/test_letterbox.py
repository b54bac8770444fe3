"""One letterbox: the reference's pictures to the pixel, and boxes that come back where they were."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tacit.geometry.letterbox import FILL, Letterbox, letterbox, place, plan_letterbox

OPS = Path(__file__).parents[1] / "golden/ops"
PICTURES, COORDINATES = np.load(OPS / "letterbox.npz"), np.load(OPS / "scale_coords.npz")
CASES = json.loads((OPS / "letterbox.json").read_text())["cases"]
MOVES = json.loads((OPS / "scale_coords.json").read_text())


@pytest.mark.parametrize("index", range(len(CASES)))
def test_value_reference_pictures(index: int) -> None:
    case = CASES[index]
    size = case["new_shape"] if isinstance(case["new_shape"], int) else tuple(case["new_shape"])
    framed, plan = letterbox(
        PICTURES[f"in{index}"],
        size,
        stride=case["auto_size"],
        minimum_rectangle=case["auto"],
        upscale=case["scaleup"],
        stretch=case["scaleFill"],
    )
    assert (plan.ratio, plan.pad) == (tuple(case["ratio"]), tuple(case["pad"]))
    assert plan.target == framed.shape[:2] == tuple(case["out_shape"][:2])
    # Bilinear resizing may round differently from one OpenCV to the next.
    assert np.abs(framed.astype(int) - PICTURES[f"out{index}"]).max() <= 1


@pytest.mark.parametrize("index", range(len(MOVES)))
def test_value_reference_boxes(index: int) -> None:
    source, target = tuple(MOVES[index]["img0"]), tuple(MOVES[index]["img1"])
    plan = plan_letterbox(source, target)
    if MOVES[index]["ratio_pad"]:
        ratio, pad = (tuple(pair) for pair in MOVES[index]["ratio_pad"])
        plan = Letterbox(ratio=ratio, pad=pad, source=source, target=target)
    moved = plan.boxes_to_source(COORDINATES["coords"])
    assert np.abs(moved - COORDINATES[f"out{index}"]).max() < 1e-3


sides = st.integers(1, 2000)


@given(sides, sides, st.integers(2, 20), st.booleans(), st.booleans(), st.booleans())
def test_boxes_there_and_back(
    height: int, width: int, blocks: int, rectangle: bool, upscale: bool, stretch: bool
) -> None:
    size = blocks * 32
    plan = plan_letterbox((height, width), size, minimum_rectangle=rectangle, upscale=upscale, stretch=stretch)
    assert all(side <= size and (side % 32 == 0 or not rectangle) for side in plan.target)
    whole = np.array([[0, 0, width, height], [width / 3, height / 4, width / 2, height / 2]], np.float32)
    inside = plan.boxes_to_target(whole)
    # Sides are rounded to whole pixels and an odd border is halved: up to one pixel, never more.
    assert inside.min() > -1
    assert (inside[:, 2:] < np.array(plan.target[::-1]) + 1).all()
    assert np.allclose(plan.boxes_to_source(inside), whole, rtol=1e-3, atol=0.05)


def test_boxes_to_source_are_clipped() -> None:
    plan = plan_letterbox((100, 200), 64)
    wild = plan.boxes_to_source(np.array([[-50, -50, 500, 500]], np.float32))
    assert wild.tolist() == [[0, 0, 200, 100]]
    assert wild.dtype == np.float32
    assert plan.boxes_to_source(np.zeros((0, 4), np.float32)).shape == (0, 4)


def test_border_is_grey_and_the_picture_is_untouched() -> None:
    image = np.full((32, 64, 3), 7, np.uint8)
    framed, plan = letterbox(image, 64)
    assert plan.ratio == (1, 1)
    assert plan.inner == (32, 64)
    assert (framed[:16] == FILL).all()
    assert (framed[48:] == FILL).all()
    assert (framed[16:48] == 7).all()


def test_a_line_of_pixels_keeps_one_pixel() -> None:
    framed, plan = letterbox(np.zeros((1, 5000, 3), np.uint8), 64)
    assert plan.inner == (1, 64)
    assert framed.shape == (64, 64, 3)


def test_averaged_shrinking_takes_every_pixel_into_account() -> None:
    """Of a checkerboard four times too large, bilinear sampling sees four pixels of sixteen; an average is grey."""
    tall = np.zeros((256, 256, 3), np.uint8)
    tall[::4] = 252  # one row in four is bright
    plan = plan_letterbox((256, 256), 64)
    assert not plan.averaged
    assert place(tall, plan).max() == 0
    assert (place(tall, replace(plan, averaged=True)) == 63).all()
    small = np.arange(16 * 16 * 3, dtype=np.uint8).reshape(16, 16, 3)
    larger = plan_letterbox((16, 16), 64)
    np.testing.assert_array_equal(place(small, larger), place(small, replace(larger, averaged=True)))


def test_without_upscale_small_photographs_stay_small() -> None:
    assert plan_letterbox((20, 30), 64, upscale=False).inner == (20, 30)
    assert plan_letterbox((20, 30), 64, upscale=True).inner == (43, 64)
