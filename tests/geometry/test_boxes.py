"""Box formats: the same answer for arrays and tensors, and a way back."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst

from tacit.geometry.boxes import clip, xywh_to_xyxy, xyxy_to_xywh

coordinates = st.floats(-(2**12), 2**12, width=32)
boxes = npst.arrays(np.float32, st.tuples(st.integers(0, 8), st.just(4)), elements=coordinates)


@pytest.mark.parametrize(
    ("xywh", "xyxy"),
    [
        ([5, 5, 10, 10], [0, 0, 10, 10]),
        ([5, 5, 0, 0], [5, 5, 5, 5]),
        ([0.5, 1, 3, 4], [-1, -1, 2, 3]),
    ],
    ids=["whole pixels", "no size", "half pixels and outside"],
)
def test_formats_value(xywh: list[float], xyxy: list[float]) -> None:
    assert xywh_to_xyxy(np.array([xywh], np.float32)).tolist() == [xyxy]
    assert xyxy_to_xywh(torch.tensor([xyxy], dtype=torch.float32)).tolist() == [xywh]


@given(boxes)
def test_there_and_back_is_identity(xyxy: np.ndarray) -> None:
    assert np.allclose(xywh_to_xyxy(xyxy_to_xywh(xyxy)), xyxy, atol=1e-2)


@given(boxes)
def test_arrays_and_tensors_agree(values: np.ndarray) -> None:
    for function in (xywh_to_xyxy, xyxy_to_xywh):
        assert np.array_equal(function(values), function(torch.from_numpy(values)).numpy())


@given(boxes)
def test_clip_is_idempotent_and_inside(values: np.ndarray) -> None:
    inside = clip(values, width=64, height=48)
    assert np.array_equal(clip(inside, width=64, height=48), inside)
    assert (inside >= 0).all()
    assert (inside[:, 0::2] <= 64).all()
    assert (inside[:, 1::2] <= 48).all()


def test_clip_keeps_input_and_nan() -> None:
    given_boxes = torch.tensor([[-1.0, 2.0, float("nan"), 99.0]])
    clipped = clip(given_boxes, width=10, height=20)
    assert given_boxes[0, 0] == -1
    assert clipped[0, [0, 1, 3]].tolist() == [0, 2, 20]
    assert clipped[0, 2].isnan()


def test_shape_leading_axes_and_integers() -> None:
    assert xywh_to_xyxy(np.zeros((2, 3, 4), np.float32)).shape == (2, 3, 4)
    assert xyxy_to_xywh(np.array([[0, 0, 3, 3]])).tolist() == [[1.5, 1.5, 3, 3]]


def test_gradient_passes() -> None:
    corners = torch.rand(3, 4, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(xyxy_to_xywh, corners)
    assert torch.autograd.gradcheck(xywh_to_xyxy, corners)
