"""Which predictions answer for which boxes: the assignment of the reference (official_models, section 8).

On each level a box is given to every anchor whose sides differ from its own by less than a factor `limit`, in the
cell of its centre and in up to two neighbours: left if the centre lies in the left half of its cell, right if in the
right half, likewise above and below. A centre on the line between two cells counts one of them twice.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from jaxtyping import Float, Int64
from torch import Tensor


@dataclass(frozen=True, eq=False)
class Assignment:
    """Rows of (box, anchor, cell) on one level, ordered by offset (centre, left, top, right, bottom), anchor, box.

    `boxes` are (x, y, width, height) in cells, the centre relative to its cell: in (-0.5, 1.5).
    """

    image: Int64[Tensor, " rows"]
    anchor: Int64[Tensor, " rows"]
    y: Int64[Tensor, " rows"]
    x: Int64[Tensor, " rows"]
    classes: Int64[Tensor, " rows"]
    boxes: Float[Tensor, "rows 4"]


def assign(
    targets: Float[Tensor, "n 6"], anchors: Float[Tensor, "a 2"], height: int, width: int, limit: float
) -> Assignment:
    """`targets` are (image, class, x, y, w, h) normalised, `anchors` (w, h) in cells of this level's grid."""
    grid = targets.new_tensor([width, height])
    scaled = torch.cat([targets[:, :2], targets[:, 2:4] * grid, targets[:, 4:] * grid], dim=1)
    ratio = scaled[None, :, 4:] / anchors[:, None]  # anchors, boxes, (w, h)
    fits = torch.maximum(ratio, 1 / ratio).amax(2) < limit
    anchor, box = fits.nonzero(as_tuple=True)
    rows = scaled[box]

    offset, row = _neighbours(rows[:, 2:4], grid).nonzero(as_tuple=True)
    rows, anchor = rows[row], anchor[row]
    cell = (rows[:, 2:4] + _OFFSETS.to(rows)[offset]).long()
    cell = torch.minimum(cell.clamp(min=0), grid.long() - 1)
    boxes = torch.cat([rows[:, 2:4] - cell, rows[:, 4:]], dim=1)
    image, classes = rows[:, :2].long().unbind(1)
    return Assignment(image, anchor, cell[:, 1], cell[:, 0], classes, boxes)


_OFFSETS = torch.tensor([[0.0, 0.0], [-0.5, 0.0], [0.0, -0.5], [0.5, 0.0], [0.0, 0.5]])  # centre, left, top, right, ...


def _neighbours(centre: Float[Tensor, "rows 2"], grid: Float[Tensor, "2"]) -> Tensor:
    """(5, rows): which of the cells at the offsets above also answer for a centre."""
    low = (centre % 1 < 0.5) & (centre > 1)
    mirrored = grid - centre
    high = (mirrored % 1 < 0.5) & (mirrored > 1)
    return torch.cat([torch.ones_like(low[:, :1]), low, high], dim=1).T
