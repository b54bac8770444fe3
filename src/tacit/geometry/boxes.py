"""Two ways to write a box, xyxy corners and xywh centre form, for NumPy arrays and tensors alike.

Every function uses only the indexing and arithmetic that the two libraries share, so one definition serves both, this
file imports neither, and gradients pass. Nothing is changed in place.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    import numpy  # noqa: ICN001 (the names below must resolve without this import)
    import torch

Boxes = TypeVar("Boxes", "numpy.ndarray", "torch.Tensor")


def xywh_to_xyxy(boxes: Boxes) -> Boxes:
    """Corners (..., 4) of boxes (..., 4) given by centre and size, in the same unit."""
    half = boxes[..., 2:] / 2
    corners = boxes * 1.0  # a float copy
    corners[..., :2] = boxes[..., :2] - half
    corners[..., 2:] = boxes[..., :2] + half
    return corners


def xyxy_to_xywh(boxes: Boxes) -> Boxes:
    """Centre and size (..., 4) of boxes (..., 4) given by corners, in the same unit."""
    centred = boxes * 1.0
    centred[..., :2] = (boxes[..., :2] + boxes[..., 2:]) / 2
    centred[..., 2:] = boxes[..., 2:] - boxes[..., :2]
    return centred


def clip(boxes: Boxes, width: int, height: int) -> Boxes:
    """The part of xyxy boxes (..., 4) that lies inside a picture of `width` x `height`; NaN stays NaN."""
    inside = boxes * 1.0
    inside[..., 0::2] = boxes[..., 0::2].clip(0, width)
    inside[..., 1::2] = boxes[..., 1::2].clip(0, height)
    return inside
