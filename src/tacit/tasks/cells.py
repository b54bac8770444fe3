"""Cells of the pyramid, numbered through: which ones answer for which objects, in training and in prediction.

A task that says something of every object (a mask, a pose, a vector) gives one row a cell. A cell is a position on one
level; they are numbered by level, y, x. In training the cells of an object are those whose boxes the detection task
would let answer for it; in prediction it is the cell that found it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Float, Int64
from torch import Tensor

from tacit.tasks.detect.anchors import Anchors
from tacit.tasks.detect.assign import assign

LIMIT = 4.0  # how far an anchor's sides may differ from a box's, as in the detection task


@dataclass(frozen=True, eq=False)
class Positives:
    """Rows of (image of the batch, cell, object): the cells that answer for objects, each pair once."""

    image: Int64[Tensor, " rows"]
    cell: Int64[Tensor, " rows"]
    object: Int64[Tensor, " rows"]


def positives(
    boxes: Float[Tensor, "n 5"], shapes: Sequence[tuple[int, int]], strides: Sequence[int], anchors: Anchors
) -> Positives:
    """`boxes` are (image, x, y, w, h), the centre and the sides in parts of the input; `shapes` (height, width) of the
    levels in cells; `anchors` (w, h) in pixels. Objects are numbered as the rows of `boxes`.
    """
    numbered = torch.arange(len(boxes), device=boxes.device, dtype=boxes.dtype)
    targets = torch.cat([boxes[:, :1], numbered[:, None], boxes[:, 1:]], dim=1)
    rows, start = list[Tensor](), 0
    for (height, width), stride, sizes in zip(shapes, strides, anchors, strict=True):
        found = assign(targets, boxes.new_tensor(sizes) / stride, height, width, LIMIT)
        rows.append(torch.stack([found.image, start + found.y * width + found.x, found.classes]))
        start += height * width
    pairs: Tensor = torch.cat(rows, dim=1).unique(dim=1)  # type: ignore[no-untyped-call]  # anchors share cells
    image, cell, number = pairs
    return Positives(image, cell, number)


def cells_of_rows(rows: Int64[Tensor, " n"], shapes: Sequence[tuple[int, int]], anchors: int) -> Int64[Tensor, " n"]:
    """The cells of detection rows, which are numbered by level, anchor, y, x; -1 for rows beyond, of other views."""
    sizes = torch.tensor([height * width for height, width in shapes], device=rows.device)
    ends = sizes.cumsum(0)
    level = torch.bucketize(rows, ends * anchors, right=True).clamp(max=len(sizes) - 1)
    starts = (ends - sizes)[level]
    cells = starts + (rows - starts * anchors) % sizes[level]
    return torch.where(rows < ends[-1] * anchors, cells, -1)


def flat(maps: Sequence[Float[Tensor, "b c _ _"]]) -> Float[Tensor, "b cells c"]:
    """One map a level -> one row a cell."""
    return torch.cat([level.flatten(2) for level in maps], dim=2).transpose(1, 2)


def shapes_of(maps: Sequence[Float[Tensor, "b c _ _"]]) -> list[tuple[int, int]]:
    """(height, width) of every level."""
    return [(level.shape[2], level.shape[3]) for level in maps]


def centres(
    shapes: Sequence[tuple[int, int]], strides: Sequence[int], like: Tensor
) -> tuple[Float[Tensor, "cells 2"], Float[Tensor, " cells"]]:
    """The middle (x, y) of every cell in pixels of the input, and its level's stride; device and type of `like`."""
    points, steps = list[Tensor](), list[Tensor]()
    for (height, width), stride in zip(shapes, strides, strict=True):
        y, x = torch.meshgrid(
            torch.arange(height, device=like.device), torch.arange(width, device=like.device), indexing="ij"
        )
        points.append((torch.stack([x, y], dim=-1).to(like) + 0.5).flatten(0, 1) * stride)
        steps.append(torch.full((height * width,), float(stride), device=like.device, dtype=like.dtype))
    return torch.cat(points), torch.cat(steps)
