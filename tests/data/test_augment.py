"""Augmentation: the reference's pictures and boxes from the reference's draws, and the algebra of each part."""

import json
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scenes import noise, scene, scenes

from tacit.data import compose, mix, photometric, warp
from tacit.data.augment import LARGEST, PLAIN, Augment
from tacit.data.mix import Flips
from tacit.data.photometric import Hsv
from tacit.data.sample import Scene
from tacit.data.warp import Warp
from tacit.errors import ConfigError

OPS = Path(__file__).parents[1] / "golden/ops"
PICTURES, COLOURS = np.load(OPS / "augment.npz"), np.load(OPS / "augment_hsv.npz")
WARPS = [case for case in json.loads((OPS / "augment.json").read_text())["cases"] if case["case"].startswith("rp")]
GAINS = json.loads((OPS / "augment_hsv.json").read_text())
CANDIDATES = np.load(OPS / "box_candidates.npz")


def recorded(draws: list) -> Warp:
    """The reference's eight numbers in the order in which it draws them."""
    x, y, degrees, zoom, shear_x, shear_y, shift_x, shift_y = (value for _, _, value in draws)
    return Warp((x, y), degrees, zoom, (shear_x, shear_y), (shift_x, shift_y))


def assert_same_picture(ours: np.ndarray, reference: np.ndarray) -> None:
    """To the bit with the OpenCV of the fixtures; another one may round a few interpolated pixels differently."""
    wrong = np.abs(ours.astype(int) - reference)
    assert ours.shape == reference.shape
    assert wrong.max() <= 1
    assert (wrong > 0).mean() < 0.01


@pytest.mark.parametrize("case", WARPS, ids=lambda case: case["case"])
def test_value_reference_warps(case: dict) -> None:
    name = case["case"]
    labels, expected = PICTURES[f"{name}_lin"], PICTURES[f"{name}_lout"]
    before = Scene(PICTURES[f"{name}_in"], labels[:, 1:], labels[:, 0].astype(np.int64))
    height, width = PICTURES[f"{name}_out"].shape[:2]
    after = warp.apply(before, recorded(case["draws"]), height, width)
    assert_same_picture(after.image, PICTURES[f"{name}_out"])
    assert after.classes.tolist() == expected[:, 0].tolist()
    np.testing.assert_allclose(after.boxes, expected[:, 1:], atol=2e-5)


@pytest.mark.parametrize("index", range(len(GAINS)))
def test_value_reference_colours(index: int) -> None:
    """The fixture's pictures are BGR."""
    gains = np.array(GAINS[index]["uniform"]) * GAINS[index]["gains"] + 1
    ours = photometric.apply(np.ascontiguousarray(COLOURS["in"][..., ::-1]), Hsv(*gains.tolist()))
    assert_same_picture(ours[..., ::-1], COLOURS[f"out{index}"])


def test_value_reference_candidates() -> None:
    keep = warp.survives(CANDIDATES["box1"].T, CANDIDATES["box2"].T)
    assert keep.tolist() == CANDIDATES["keep"].tolist()


@pytest.mark.parametrize(
    ("box", "kept", "why"),
    [
        ([10, 10, 20, 20], True, "untouched"),
        ([10, 10, 12, 20], False, "two pixels wide is too narrow"),
        ([10, 10, 13, 12], False, "two pixels high is too flat"),
        ([10, 10, 13, 13], False, "less than a tenth is left"),
        ([10, 10, 94, 14], False, "a sliver, 21 times as wide as high"),
    ],
)
def test_value_survival(box: list[float], kept: bool, why: str) -> None:
    whole = np.array([[10, 10, 20, 20]], np.float32)
    assert warp.survives(whole, np.array([box], np.float32)).tolist() == [kept], why


@given(scenes(), st.booleans(), st.booleans())
def test_value_flipping_twice_is_nothing(before: Scene, left_right: bool, up_down: bool) -> None:
    flips = Flips(left_right, up_down)
    after = mix.flip(mix.flip(before, flips), flips)
    np.testing.assert_array_equal(after.image, before.image)
    np.testing.assert_allclose(after.boxes, before.boxes, atol=1e-4)


@given(scenes(), st.booleans(), st.booleans())
def test_value_flips_carry_what_is_in_a_box(before: Scene, left_right: bool, up_down: bool) -> None:
    after = mix.flip(before, Flips(left_right, up_down))
    for (x0, y0, x1, y1), (u0, v0, u1, v1) in zip(before.boxes.astype(int), after.boxes.astype(int), strict=True):
        inside = before.image[y0:y1, x0:x1][:: 1 - 2 * up_down, :: 1 - 2 * left_right]
        np.testing.assert_array_equal(after.image[v0:v1, u0:u1], inside)


@given(scenes())
def test_value_a_neutral_warp_is_nothing(before: Scene) -> None:
    height, width = before.image.shape[:2]
    after = warp.apply(before, Warp(), height, width)
    np.testing.assert_array_equal(after.image, before.image)
    slim = (before.boxes[:, 2:] - before.boxes[:, :2]).max(axis=1) / (before.boxes[:, 2:] - before.boxes[:, :2]).min(
        axis=1
    )
    np.testing.assert_array_equal(after.boxes, before.boxes[slim < warp.ELONGATION])


WILD = Augment(degrees=45.0, translate=0.5, scale=0.9, shear=20.0, perspective=0.001)


@given(scenes(), st.integers(0, 2**32 - 1))
def test_value_boxes_stay_inside_and_worth_learning(before: Scene, seed: int) -> None:
    after = warp.apply(before, warp.draw(WILD, np.random.default_rng(seed)), 48, 64)
    assert after.image.shape == (48, 64, 3)
    assert after.boxes.dtype == np.float32
    assert len(after.boxes) == len(after.classes) <= len(before.boxes)
    assert (after.boxes >= 0).all()
    assert (after.boxes <= [64, 48, 64, 48]).all()
    assert (after.boxes[:, 2:] - after.boxes[:, :2] > warp.SMALLEST).all()


@given(st.integers(0, 2**32 - 1))
def test_value_a_warped_box_still_holds_its_object(seed: int) -> None:
    """A white rectangle on black: what is white after the warp is the box around it, to a pixel."""
    image = np.zeros((96, 96, 3), np.uint8)
    image[40:56, 36:60] = 255
    drawn = warp.draw(Augment(degrees=20.0, scale=0.3, shear=5.0, translate=0.1), np.random.default_rng(seed))
    after = warp.apply(Scene(image, np.array([[36, 40, 60, 56]], np.float32), np.array([0])), drawn, 96, 96)
    rows, columns = np.nonzero(after.image[..., 0] > 127 + warp.FILL // 4)
    seen = [columns.min(), rows.min(), columns.max() + 1, rows.max() + 1]
    np.testing.assert_allclose(after.boxes[0], seen, atol=2)


def test_value_a_corner_behind_the_eye_empties_its_box() -> None:
    before = scene(100, 100, [[0, 40, 20, 60], [60, 40, 80, 60]])
    after = warp.apply(before, Warp(perspective=(0.025, 0.0)), 100, 100)  # the vanishing line is at x = 10
    assert after.classes.tolist() == [1]


@given(scenes(), st.integers(0, 2**32 - 1), st.sampled_from([0.0, 0.001]))
def test_value_a_fourth_byte_changes_no_pixel(before: Scene, seed: int, perspective: float) -> None:
    drawn = warp.draw(replace(WILD, perspective=perspective), np.random.default_rng(seed))
    matrix, fill = drawn.matrix(before.image.shape[:2], (48, 64)), (warp.FILL,) * 3
    plain = (
        cv2.warpPerspective(before.image, matrix, (64, 48), borderValue=fill)
        if perspective
        else cv2.warpAffine(before.image, matrix[:2], (64, 48), borderValue=fill)
    )
    assert_same_picture(warp.apply(before, drawn, 48, 64).image, plain)


def test_value_neutral_colours_are_the_same_picture() -> None:
    image = noise(8, 8)
    assert photometric.apply(image, Hsv()) is image


def test_value_colours_do_not_touch_the_original() -> None:
    image = noise(8, 8)
    photometric.apply(image, Hsv(1.01, 0.5, 1.2))
    np.testing.assert_array_equal(image, noise(8, 8))


def test_value_mixup_weighs_pictures_and_keeps_all_boxes() -> None:
    first, second = scene(16, 16, [[0, 0, 8, 8]]), scene(16, 16, [[4, 4, 9, 9], [1, 1, 9, 9]])
    dark, light = np.full((16, 16, 3), 40, np.uint8), np.full((16, 16, 3), 200, np.uint8)
    mixed = mix.mixup(Scene(dark, first.boxes, first.classes), Scene(light, second.boxes, second.classes), 0.75)
    assert (mixed.image == 80).all()
    assert mixed.classes.tolist() == [0, 0, 1]


def test_value_plain_is_the_letterbox() -> None:
    """Without variation a photograph is only framed: nothing moves, nothing is coloured."""
    photo = scene(32, 64, [[8, 8, 24, 24]])
    drawn = compose.draw(PLAIN, np.random.default_rng(0), 0, np.arange(1))
    framed = compose.apply(drawn, lambda _: photo, 64)
    np.testing.assert_array_equal(framed.image[16:48], photo.image)
    assert (framed.image[:16] == warp.FILL).all()
    assert framed.boxes.tolist() == [[8, 24, 24, 40]]


def test_value_chances_are_as_configured() -> None:
    augment = Augment(mosaic=0.8, mosaic_nine=0.25, mixup=0.5, flip_left_right=0.3)
    drawn = [compose.draw(augment, np.random.default_rng([1, seed]), 3, np.arange(10)) for seed in range(500)]
    mosaics = [one for one in drawn if one.views[0].layout is not None]
    assert len(mosaics) / len(drawn) == pytest.approx(0.8, abs=0.07)
    assert np.mean([len(one.views[0].photos) == 9 for one in mosaics]) == pytest.approx(0.25, abs=0.07)
    assert np.mean([len(one.views) == 2 for one in mosaics]) == pytest.approx(0.5, abs=0.08)
    assert np.mean([one.flips.left_right for one in drawn]) == pytest.approx(0.3, abs=0.07)
    assert all(len(one.views) == 1 for one in drawn if one.views[0].layout is None)
    assert all(one.views[0].photos[0] == 3 for one in drawn)


def test_value_draws_fill_their_ranges() -> None:
    """Each number comes close to both its limits and never passes them."""
    augment = Augment(degrees=10.0, shear=4.0, perspective=0.001, translate=0.2, scale=0.6)
    rng = np.random.default_rng(0)
    warps = [warp.draw(augment, rng) for _ in range(300)]
    gains = [photometric.draw(augment, rng) for _ in range(300)]
    rows = [[one.degrees, *one.shear, *one.perspective, one.zoom - 1, *(np.array(one.shift) - 0.5)] for one in warps]
    colours = [[gain.hue - 1, gain.saturation - 1, gain.value - 1] for gain in gains]
    drawn = np.concatenate([rows, colours], axis=1)
    limits = np.array([10, 4, 4, 0.001, 0.001, 0.6, 0.2, 0.2, 0.015, 0.7, 0.4])
    assert (np.abs(drawn) <= limits).all()
    assert (drawn.max(axis=0) > 0.95 * limits).all()
    assert (drawn.min(axis=0) < -0.95 * limits).all()


@pytest.mark.parametrize("name", LARGEST)
@pytest.mark.parametrize("value", [-0.1, 1e9, float("nan"), float("inf")])
def test_error_out_of_range(name: str, value: float) -> None:
    with pytest.raises(ConfigError, match=f"{name}=.*Allowed: a number from 0 to"):
        Augment(**{name: value})


@pytest.mark.parametrize("name", LARGEST)
def test_smoke_the_bounds_themselves_work(name: str) -> None:
    photo = scene(32, 64, [[8, 8, 24, 24]])
    for value in (0.0, LARGEST[name]):
        drawn = compose.draw(Augment(**{name: value}), np.random.default_rng(5), 0, np.arange(3))
        assert compose.apply(drawn, lambda _: photo, 64).image.shape == (64, 64, 3)
