"""Masks: written as COCO writes them, and drawn."""

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from pycocotools import mask as reference

from tacit.drawing import colour_of
from tacit.results import Result
from tacit.tasks.segment.answer import Masks
from tacit.tasks.segment.runs import compressed, run_lengths, runs_of

pytestmark = pytest.mark.filterwarnings("ignore:__array__ impl:DeprecationWarning")  # pycocotools' decode


@st.composite
def placed(draw):
    """A crop, where it lies, and the shape of the whole."""
    crop = draw(arrays(bool, st.tuples(st.integers(1, 6), st.integers(1, 6))))
    x, y = draw(st.integers(0, 4)), draw(st.integers(0, 4))
    below, beside = draw(st.integers(0, 4)), draw(st.integers(0, 4))
    return crop, (x, y), (y + crop.shape[0] + below, x + crop.shape[1] + beside)


def whole_of(crop, corner, shape):
    whole = np.zeros(shape, bool)
    whole[corner[1] : corner[1] + crop.shape[0], corner[0] : corner[0] + crop.shape[1]] = crop
    return whole


@given(placed())
def test_runs_are_those_of_pycocotools(case):
    whole = whole_of(*case)
    theirs = reference.encode(np.asfortranarray(whole.astype(np.uint8)))
    assert runs_of(*case) == {"size": list(whole.shape), "counts": theirs["counts"].decode()}
    assert run_lengths(*case).sum() == whole.size


def test_an_empty_crop_is_an_empty_mask():
    assert run_lengths(np.zeros((0, 3), bool), (1, 1), (4, 5)).tolist() == [20]


def test_every_way_of_coco_is_read():
    square, shape = [1.0, 1, 4, 1, 4, 4, 1, 4], (6, 7)
    drawn = reference.merge(reference.frPyObjects([square], *shape))
    mask = reference.decode(drawn).astype(bool)
    lengths = {"size": list(shape), "counts": run_lengths(mask, (0, 0), shape).tolist()}
    same = {"size": list(shape), "counts": drawn["counts"].decode()}
    assert compressed([square], shape) == compressed(lengths, shape) == compressed(same, shape) == same


def circles(height=60, width=80):
    y, x = np.mgrid[:20, :20]
    disc = (x - 9.5) ** 2 + (y - 9.5) ** 2 < 90
    masks = Masks((height, width), [disc, disc], np.array([[5, 10], [15, 10]]))
    result = Result(
        boxes=np.array([[5, 10, 25, 30], [15, 10, 35, 30]], np.float32),
        scores=np.array([0.9, 0.8], np.float32),
        classes=np.array([0, 1]),
        names=("cat", "dog"),
        width=width,
        height=height,
        image=np.full((height, width, 3), 100, np.uint8),
        answers={"segment": masks},
    )
    return masks, result


def test_a_mask_is_its_crop_in_the_photograph():
    masks, _ = circles()
    assert masks.mask(1).shape == (60, 80)
    assert masks.mask(1)[10:30, 15:35].sum() == masks.mask(1).sum() == masks.crops[1].sum()


def test_json_is_read_by_pycocotools():
    masks, result = circles()
    written = json.loads(json.dumps(result.to_dict()))["segment"]
    assert (reference.decode(written[1]).astype(bool) == masks.mask(1)).all()


def test_a_veil_of_the_classs_colour_the_best_on_top():
    masks, result = circles()
    picture = result.draw(only=["segment"])
    veil = [np.rint(55 + np.array(colour_of(index)) * 0.45) for index in (0, 1)]
    assert picture[20, 10].tolist() == veil[0].tolist()
    assert picture[20, 30].tolist() == veil[1].tolist()
    assert picture[20, 19].tolist() == veil[0].tolist()  # both: the better one hides the other
    assert picture[50, 70].tolist() == [100, 100, 100]
    assert picture[20, 6].tolist() == pytest.approx(colour_of(0), abs=20)  # the line, softened
    assert masks.summary() == ""
    assert result.image.min() == 100  # the photograph stays as it is


@pytest.mark.parametrize("crop", [np.zeros((4, 4), bool), np.ones((60, 80), bool)], ids=["nothing", "everything"])
def test_drawing_empty_and_full_masks(crop):
    _, result = circles()
    masks = Masks((60, 80), [crop], np.array([[0, 0]]))
    picture = np.full((60, 80, 3), 100, np.uint8)
    masks.draw(picture, result)
    assert (picture != 100).any() == crop.any()


def test_masks_reach_supervision() -> None:
    supervision = pytest.importorskip("supervision")
    masks = Masks(shape=(4, 6), crops=[np.ones((2, 3), bool)], corners=np.array([[1, 2]]))
    result = Result(
        boxes=np.array([[1, 2, 4, 4]], np.float32), scores=np.ones(1, np.float32), classes=np.zeros(1, np.int64),
        names=("thing",), width=6, height=4, answers={"segment": masks},
    )  # fmt: skip
    found = result.to_supervision()
    assert isinstance(found, supervision.Detections)
    assert found.mask is not None
    np.testing.assert_array_equal(found.mask[0], masks.mask(0))
