"""Mosaics: the reference's pictures and boxes from the reference's draws, and where each photograph comes to lie."""

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scenes import scene, scenes
from test_augment import assert_same_picture, recorded

from tacit.data import mosaic, warp
from tacit.data.mosaic import Four, Layout, Nine
from tacit.data.sample import Scene

OPS = Path(__file__).parents[1] / "golden/ops"
PICTURES = np.load(OPS / "augment.npz")
CASES = [case for case in json.loads((OPS / "augment.json").read_text())["cases"] if "mosaic" in case["case"]]


def photo(index: int) -> Scene:
    image, labels = PICTURES[f"mo_img{index}"], PICTURES[f"mo_lab{index}"]
    height, width = image.shape[:2]
    centre, half = labels[:, 1:3], labels[:, 3:] / 2
    boxes = np.concatenate([centre - half, centre + half], axis=1) * np.array([width, height] * 2, np.float32)
    return Scene(image, boxes, labels[:, 0].astype(np.int64))


def recorded_layout(case: dict) -> tuple[Layout, list[int], list]:
    """The layout, the partners and the draws of the warp; the reference draws y before x, in pixels."""
    draws, size = case["draws"], case["img_size"]
    if case["case"].startswith("mosaic4"):
        (y, x), partners, rest = draws[:2], draws[2:5], draws[5:]
        return Four((x[2] / size, y[2] / size)), [int(value) for _, _, value in partners], rest
    partners, (y, x), rest = draws[:8], draws[8:10], draws[10:]
    return Nine((x[2] / size, y[2] / size)), [int(value) for _, _, value in partners], rest


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["case"])
def test_value_reference_mosaics(case: dict) -> None:
    layout, partners, draws = recorded_layout(case)
    size, expected = case["img_size"], PICTURES[f"{case['case']}_lab"]
    joined = mosaic.apply([photo(index) for index in (case["index"], *partners)], layout, size)
    shown = warp.apply(joined, recorded(draws), size, size)
    assert_same_picture(shown.image, PICTURES[f"{case['case']}_out"])
    assert shown.classes.tolist() == expected[:, 0].tolist()
    np.testing.assert_allclose(shown.boxes, expected[:, 1:], atol=2e-5)


def test_value_four_photographs_meet() -> None:
    scenes = [
        Scene(np.full((16, 16, 3), 10 * k, np.uint8), np.zeros((0, 4), np.float32), np.arange(0)) for k in range(4)
    ]
    canvas = mosaic.apply(scenes, Four((0.75, 1.25)), 16).image[..., 0]
    assert canvas[19, [11, 12]].tolist() == [0, 10]
    assert canvas[20, [11, 12]].tolist() == [20, 30]
    assert canvas[3, 11] == canvas[20, 28] == warp.FILL  # no photograph reaches the canvas's edges here


def test_value_nine_photographs_touch_and_never_overlap() -> None:
    """Same-sized photographs tile the field without a gap."""
    scenes = [Scene(np.full((16, 16, 3), k, np.uint8), np.zeros((0, 4), np.float32), np.arange(0)) for k in range(9)]
    canvas = mosaic.apply(scenes, Nine((0.5, 0.5)), 16).image[..., 0]
    assert canvas[[4, 16, 28]][:, [4, 16, 28]].tolist() == [[8, 1, 2], [7, 0, 3], [6, 5, 4]]
    assert warp.FILL not in canvas


@given(st.lists(scenes(), min_size=9, max_size=9), st.integers(0, 2**32 - 1), st.booleans())
def test_value_every_pixel_in_a_box_is_its_own(photos: list[Scene], seed: int, nine: bool) -> None:
    """What a box of the canvas shows, where no later photograph covers it, is what it showed in the photograph."""
    rng = np.random.default_rng(seed)
    layout = mosaic.draw_nine(rng) if nine else mosaic.draw_four(rng)
    photos = photos[: layout.photos]
    joined = mosaic.apply(photos, layout, 80)
    assert joined.image.shape == (160, 160, 3)
    assert len(joined.boxes) == sum(len(one.boxes) for one in photos)
    assert (joined.boxes >= 0).all()
    assert (joined.boxes <= 160).all()
    last, (x, y) = photos[-1], layout.corners([one.image.shape[:2] for one in photos], 80)[-1]
    for before, after in zip(last.boxes, joined.boxes[len(joined.boxes) - len(last.boxes) :], strict=True):
        u0, v0, u1, v1 = after.astype(int)
        inside = last.image[v0 - y : v1 - y, u0 - x : u1 - x] if u1 > u0 and v1 > v0 else joined.image[v0:v1, u0:u1]
        np.testing.assert_array_equal(joined.image[v0:v1, u0:u1], inside)
        np.testing.assert_array_equal(after, np.add(before, [x, y, x, y]).clip(0, 160))


def test_value_a_box_off_the_canvas_does_not_survive_the_warp() -> None:
    photos = [scene(16, 16, [[1, 1, 6, 6]]) for _ in range(4)]
    joined = mosaic.apply(photos, Four((0.5, 0.5)), 16)  # the first photograph's upper left quarter is cut away
    shown = warp.apply(joined, warp.Warp(), 32, 32)
    assert len(joined.boxes) == 4
    assert len(shown.boxes) == 1
