"""The IoU family against the reference's numbers, and against what must hold of any overlap."""

from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from tacit.geometry.boxes import xywh_to_xyxy
from tacit.geometry.iou import box_iou, complete_iou, distance_iou, generalized_iou, paired_iou

GOLDEN = np.load(Path(__file__).parents[1] / "golden/ops/iou.npz")
PAIRED = {"iou": paired_iou, "giou": generalized_iou, "diou": distance_iou, "ciou": complete_iou}

side = st.floats(0.5, 50)
box = st.tuples(st.floats(-50, 50), st.floats(-50, 50), side, side)
pairs = st.lists(st.tuples(box, box), min_size=1, max_size=6)


def golden(name: str) -> torch.Tensor:
    return torch.from_numpy(GOLDEN[name])


@pytest.mark.parametrize("name", PAIRED)
def test_value_reference(name: str) -> None:
    ours, theirs = PAIRED[name](golden("a"), golden("b")), golden(name)
    known = ~theirs.isnan()
    assert known.sum() >= 63
    torch.testing.assert_close(ours[known], theirs[known], rtol=0, atol=2e-7)


def test_value_reference_all_pairs() -> None:
    ours = box_iou(xywh_to_xyxy(golden("a")), xywh_to_xyxy(golden("b")))
    torch.testing.assert_close(ours, golden("box_iou"), rtol=0, atol=1e-7)


def test_gradient_reference() -> None:
    a = golden("a").requires_grad_()
    complete_iou(a, golden("b")).sum().backward()
    theirs = golden("ciou_grad_a")
    known = ~theirs.isnan()
    torch.testing.assert_close(a.grad[known], theirs[known], rtol=1e-6, atol=2e-7)


def test_identical_boxes_differ_from_reference_on_purpose() -> None:
    """The reference answers NaN here, and one such pair would spoil the weights."""
    assert golden("ciou")[0].isnan()
    assert torch.equal(golden("a")[0], golden("b")[0])
    same = golden("a")[:1].requires_grad_()
    score = complete_iou(same, golden("b")[:1])
    score.sum().backward()
    assert score.item() == pytest.approx(1)
    assert same.grad.isfinite().all()


@given(pairs)
def test_order_of_the_family(drawn: list[tuple[tuple[float, ...], tuple[float, ...]]]) -> None:
    a, b = (torch.tensor(list(part), dtype=torch.float64) for part in zip(*drawn, strict=True))
    iou, giou, diou, ciou = (function(a, b) for function in PAIRED.values())
    assert ((iou >= 0) & (iou <= 1 + 1e-6)).all()
    assert (giou <= iou + 1e-6).all()
    assert (giou > -1).all()
    assert (ciou <= diou + 1e-6).all()
    assert (diou <= iou + 1e-6).all()
    torch.testing.assert_close(paired_iou(b, a), iou, rtol=0, atol=1e-6)
    torch.testing.assert_close(box_iou(xywh_to_xyxy(a), xywh_to_xyxy(b)).diagonal(), iou, rtol=0, atol=1e-6)


@given(box, st.floats(0.1, 10), st.floats(-20, 20))
def test_scale_and_shift_change_nothing(drawn: tuple[float, ...], scale: float, shift: float) -> None:
    a = torch.tensor([drawn], dtype=torch.float64)
    b = a * torch.tensor([1, 1, 1.5, 0.7]) + torch.tensor([1, -2, 0, 0])
    move = torch.tensor([shift, -shift, 0, 0])
    for function in PAIRED.values():
        torch.testing.assert_close(function(a * scale + move, b * scale + move), function(a, b), rtol=0, atol=1e-6)


def test_empty_and_no_area() -> None:
    nothing, point = torch.zeros(0, 4), torch.tensor([[3.0, 3.0, 3.0, 3.0]])
    assert box_iou(nothing, point).shape == (0, 1)
    assert box_iou(point, nothing).shape == (1, 0)
    assert box_iou(point, point).item() == 0
    assert complete_iou(nothing, nothing).shape == (0,)


def test_shape_keeps_leading_axes() -> None:
    a = torch.rand(2, 3, 4) + 1
    assert complete_iou(a, a).shape == (2, 3)
