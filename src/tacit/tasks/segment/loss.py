"""The loss of masks: every pixel about an object is a question of its own, yes or no (YOLACT, section 3.2)."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float, Int64, UInt8
from torch import Tensor
from torch.nn import functional

from tacit.nn.processes import processes, sum_over_processes
from tacit.tasks.cells import Positives
from tacit.tasks.task import TaskLoss

ROWS = 4  # cells of one object that learn in one step
PIXELS = 2**25  # of all masks of one step together: 128 MiB for each map of them


@dataclass(frozen=True, eq=False)
class MaskTargets:
    """`boxes` (x, y, w, h in parts of the input) of the objects of a batch, and their `masks` as prototypes lie."""

    boxes: Float[Tensor, "n 4"]
    masks: UInt8[Tensor, "n h w"]


def mask_loss(
    prototypes: Float[Tensor, "b k h w"],
    coefficients: Float[Tensor, "b cells k"],
    targets: MaskTargets,
    rows: Positives,
) -> TaskLoss:
    """Cross-entropy and Dice of the pixels about an object's box: the mean of its cells, then of all objects.

    `rows` say which cells answer for which object; at most ROWS of an object learn. Several processes that share a
    batch divide by the objects of all of them: the mean of their totals is what one process would get.
    """
    room = PIXELS // targets.masks[0].numel() if len(targets.masks) else 0
    rows = thinned(rows, room)
    count = torch.bincount(rows.object, minlength=len(targets.boxes))
    sizes = torch.stack([(count > 0).sum(), count.new_tensor(len(prototypes))]).float()
    objects, images = sum_over_processes(sizes).unbind()
    share = 1 / (objects.clamp(min=1) * count[rows.object])

    logits = _logits(prototypes.float(), coefficients.float(), rows)  # rows, h, w; half precision is too coarse
    about = around(targets.boxes, *logits.shape[1:])[rows.object]
    wanted = targets.masks[rows.object].float().expand_as(logits)
    entropy = functional.binary_cross_entropy_with_logits(logits, wanted, reduction="none")
    entropy = (entropy * about).sum((1, 2)) / about.sum((1, 2))
    dice = _dice(logits.sigmoid() * about, wanted * about)
    parts = {"pixels": (entropy * share).sum(), "dice": (dice * share).sum()}
    total = torch.stack(list(parts.values())).sum() * images
    return TaskLoss(total * processes(), {name: part.detach() * processes() for name, part in parts.items()})


def thinned(rows: Positives, room: int) -> Positives:
    """At most ROWS rows an object, and at most `room` in all: evenly spread over its cells, so over its levels too."""
    order = torch.argsort(rows.object, stable=True)
    image, cell, number = rows.image[order], rows.cell[order], rows.object[order]
    count = torch.bincount(number)
    start = count.cumsum(0) - count
    place = torch.arange(len(number), device=number.device) - start[number]
    kept = _spread(place, count[number], ROWS).nonzero()[:, 0]
    every = torch.arange(len(kept), device=kept.device)
    kept = kept[_spread(every, every.new_tensor(len(kept)), room)]
    return Positives(image[kept], cell[kept], number[kept])


def around(boxes: Float[Tensor, "n 4"], height: int, width: int) -> Bool[Tensor, "n h w"]:
    """The pixels that a box touches, and one more on every side: no box that is found is exact."""
    corner, side = boxes[:, :2] - boxes[:, 2:] / 2, boxes.new_tensor([width, height])
    low = (corner * side).floor() - 1
    high = ((corner + boxes[:, 2:]) * side).ceil() + 1
    x, y = torch.arange(width, device=boxes.device), torch.arange(height, device=boxes.device)
    across = (x >= low[:, :1]) & (x < high[:, :1])  # n, w
    down = (y >= low[:, 1:]) & (y < high[:, 1:])  # n, h
    return down[:, :, None] & across[:, None, :]


def _spread(place: Int64[Tensor, " n"], count: Tensor, limit: int) -> Bool[Tensor, " n"]:
    """Which of `count` places in a row to keep so that at most `limit` are left at even distances."""
    few = count.clamp(max=limit)
    return (place * few) // count.clamp(min=1) != ((place - 1) * few).div(count.clamp(min=1), rounding_mode="floor")


def _logits(
    prototypes: Float[Tensor, "b k h w"], coefficients: Float[Tensor, "b cells k"], rows: Positives
) -> Float[Tensor, "rows h w"]:
    """Rows stand by object, objects by image: one product an image, and never a copy of the prototypes for each row."""
    mixed = coefficients[rows.image, rows.cell]  # rows, k
    none = mixed[:0] @ prototypes[:1].sum(0).flatten(1)  # also where there is no image
    counts = torch.bincount(rows.image, minlength=len(prototypes)).tolist()
    parts = zip(torch.split(mixed, counts), prototypes, strict=True) if counts else ()
    maps = [part @ image.flatten(1) for part, image in parts]
    return torch.cat([none, *maps]).view(-1, *prototypes.shape[2:])


def _dice(chance: Float[Tensor, "rows h w"], wanted: Float[Tensor, "rows h w"]) -> Float[Tensor, " rows"]:
    """1 - the overlap of two masks, from 0 to 1, which weighs small objects as large ones (V-Net, eq. 3; squared)."""
    both = (chance * wanted).sum((1, 2))
    each = chance.square().sum((1, 2)) + wanted.sum((1, 2))
    dice: Tensor = 1 - (2 * both + 1) / (each + 1)
    return dice
