"""How far two boxes agree: IoU and the losses' refinements of it, with gradients.

`box_iou` compares every box with every other (xyxy); the paired functions compare row by row (xywh, the form a
detection head predicts). The paired ones follow the reference to the last term (official_models.md section 8): eps is
1e-9, heights carry it, widths do not. IoU variants: GIoU, arXiv:1902.09630; DIoU and CIoU, arXiv:1911.08287.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

EPS = 1e-9


def box_iou(a: Float[Tensor, "n 4"], b: Float[Tensor, "m 4"]) -> Float[Tensor, "n m"]:
    """Intersection over union of all pairs of xyxy boxes; two boxes without area have none in common (0)."""
    ax0, ay0, ax1, ay1 = a[:, :, None].unbind(1)
    bx0, by0, bx1, by1 = b.unbind(1)
    shared_width = (torch.minimum(ax1, bx1) - torch.maximum(ax0, bx0)).clamp(min=0)
    shared_height = (torch.minimum(ay1, by1) - torch.maximum(ay0, by0)).clamp(min=0)
    shared = shared_width * shared_height
    union = _area(a)[:, None] + _area(b) - shared
    return shared / union.clamp(min=torch.finfo(union.dtype).tiny)


def paired_iou(a: Float[Tensor, "*rows 4"], b: Float[Tensor, "*rows 4"]) -> Float[Tensor, " *rows"]:
    """Intersection over union of row i of `a` with row i of `b`, both xywh."""
    return _compare(a, b).iou


def generalized_iou(a: Float[Tensor, "*rows 4"], b: Float[Tensor, "*rows 4"]) -> Float[Tensor, " *rows"]:
    """GIoU of paired xywh boxes, in (-1, 1]: IoU less the share of the hull that neither box covers."""
    pair = _compare(a, b)
    hull = pair.hull_width * pair.hull_height + EPS
    return pair.iou - (hull - pair.union) / hull


def distance_iou(a: Float[Tensor, "*rows 4"], b: Float[Tensor, "*rows 4"]) -> Float[Tensor, " *rows"]:
    """DIoU of paired xywh boxes: IoU less the squared distance of the centres over the hull's squared diagonal."""
    pair = _compare(a, b)
    return pair.iou - pair.distance


def complete_iou(a: Float[Tensor, "*rows 4"], b: Float[Tensor, "*rows 4"]) -> Float[Tensor, " *rows"]:
    """CIoU of paired xywh boxes: DIoU less a weighted difference of the aspect ratios.

    The weight alpha passes no gradient. For two identical boxes it is 0/0, NaN in the reference; here such a pair
    scores 1 with a finite gradient.
    """
    pair = _compare(a, b)
    angle = torch.atan(pair.width_b / pair.height_b) - torch.atan(pair.width_a / pair.height_a)
    aspect = (4 / math.pi**2) * angle**2
    with torch.no_grad():
        alpha = aspect / (1 - pair.iou + aspect).clamp(min=EPS)
    return pair.iou - (pair.distance + alpha * aspect)


@dataclass(frozen=True, eq=False)
class _Comparison:
    """What the paired measures share; `distance` is relative to the hull's diagonal, both squared."""

    iou: Tensor
    union: Tensor
    hull_width: Tensor
    hull_height: Tensor
    distance: Tensor
    width_a: Tensor
    height_a: Tensor
    width_b: Tensor
    height_b: Tensor


def _compare(a: Tensor, b: Tensor) -> _Comparison:
    ax0, ay0, ax1, ay1 = _corners(a)
    bx0, by0, bx1, by1 = _corners(b)
    width_a, height_a = ax1 - ax0, ay1 - ay0 + EPS
    width_b, height_b = bx1 - bx0, by1 - by0 + EPS

    shared_width = (torch.minimum(ax1, bx1) - torch.maximum(ax0, bx0)).clamp(min=0)
    shared_height = (torch.minimum(ay1, by1) - torch.maximum(ay0, by0)).clamp(min=0)
    shared = shared_width * shared_height
    union = width_a * height_a + width_b * height_b - shared + EPS

    hull_width = torch.maximum(ax1, bx1) - torch.minimum(ax0, bx0)
    hull_height = torch.maximum(ay1, by1) - torch.minimum(ay0, by0)
    gap = ((bx0 + bx1 - ax0 - ax1) ** 2 + (by0 + by1 - ay0 - ay1) ** 2) / 4
    distance = gap / (hull_width**2 + hull_height**2 + EPS)
    return _Comparison(shared / union, union, hull_width, hull_height, distance, width_a, height_a, width_b, height_b)


def _corners(boxes: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    x, y, width, height = boxes.unbind(-1)
    return x - width / 2, y - height / 2, x + width / 2, y + height / 2


def _area(boxes: Tensor) -> Tensor:
    return (boxes[:, 2] - boxes[:, 0]) * (boxes[:, 3] - boxes[:, 1])
