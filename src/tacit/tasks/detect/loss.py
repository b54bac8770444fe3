"""The detection loss of the reference (official_models, section 8): CIoU, objectness, classes."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional

from tacit.geometry.iou import complete_iou
from tacit.nn.processes import processes, sum_over_processes
from tacit.tasks.detect.assign import Assignment, assign
from tacit.tasks.detect.gains import DetectGains
from tacit.tasks.task import TaskLoss

BALANCE = {3: (4.0, 1.0, 0.4), 4: (4.0, 1.0, 0.4, 0.1), 5: (4.0, 1.0, 0.5, 0.4, 0.1)}  # objectness, by level
FOCAL_ALPHA = 0.25


def detection_loss(
    raw: Sequence[Float[Tensor, "b a _ _ c"]],
    targets: Float[Tensor, "n 6"],
    anchors: Sequence[Float[Tensor, "a 2"]],
    gains: DetectGains,
) -> TaskLoss:
    """`raw` maps hold (x, y, w, h, objectness, classes) before the sigmoid, `targets` (image, class, x, y, w, h)
    normalised, `anchors` (w, h) in cells of their level. The gain of classes is used as it is, whatever their number.

    The total is the sum of the parts times the batch size, as the reference back-propagates it. Where several
    processes share a batch, means are over the whole batch: the mean of their totals is what one process would get.
    """
    maps = [level.float() for level in raw]  # half precision is too coarse for the sums below
    assigned = [
        assign(targets, size, level.shape[2], level.shape[3], gains.anchor_limit)
        for level, size in zip(maps, anchors, strict=True)
    ]
    counts = sum_over_processes(targets.new_tensor([len(rows.image) for rows in assigned])) / processes()
    box, objectness, classes = torch.zeros(3, device=targets.device).unbind()
    for level, rows, size, count, balance in zip(maps, assigned, anchors, counts, BALANCE[len(maps)], strict=True):
        answers = level[rows.image, rows.anchor, rows.y, rows.x]
        wanted = torch.zeros(level.shape[:4], device=level.device)
        if len(answers):
            overlap = complete_iou(_boxes(answers, size[rows.anchor]), rows.boxes)
            box = box + (1 - overlap).sum() / count
            _write_last(wanted, rows, overlap.detach().clamp(min=0))
            classes = classes + _class_loss(answers[:, 5:], rows, gains) / count
        objectness = objectness + balance * (
            _mean(_cross_entropy(level[..., 4], wanted, gains.objectness_positive, gains.focal_gamma))
        )
    share = 3 / len(maps)  # the gains are stated for three levels
    parts = {
        "box": box * (gains.box * share),
        "objectness": objectness * (gains.objectness * share * (1.4 if len(maps) >= 4 else 1.0)),
        "classes": classes * (gains.classes * share),
    }
    total = torch.stack(list(parts.values())).sum() * (len(maps[0]) * processes())
    return TaskLoss(total, {name: part.detach() for name, part in parts.items()})


def _mean(values: Tensor) -> Tensor:
    """0 where no image of the batch labels boxes."""
    return values.mean() if values.numel() else values.sum()


def _boxes(answers: Float[Tensor, "rows c"], anchors: Float[Tensor, "rows 2"]) -> Float[Tensor, "rows 4"]:
    """Predicted boxes in cells, the centre relative to its cell."""
    centre = answers[:, :2].sigmoid() * 2 - 0.5
    size = (answers[:, 2:4].sigmoid() * 2) ** 2 * anchors
    return torch.cat([centre, size], dim=1)


def _write_last(wanted: Float[Tensor, "b a h w"], rows: Assignment, values: Float[Tensor, " rows"]) -> None:
    """wanted[cell] = value; where several rows name one cell the last one wins, on every device."""
    _, anchors, height, width = wanted.shape
    cell = ((rows.image * anchors + rows.anchor) * height + rows.y) * width + rows.x
    order = torch.arange(len(cell), device=cell.device)
    last = cell.new_full((wanted.numel(),), -1).scatter_reduce(0, cell, order, "amax")
    winner = last[cell] == order
    wanted.view(-1)[cell[winner]] = values[winner]


def _class_loss(logits: Float[Tensor, "rows classes"], rows: Assignment, gains: DetectGains) -> Float[Tensor, ""]:
    """The sum over rows of the mean over classes."""
    if logits.shape[1] == 1:
        return logits.new_zeros(())  # one class: objectness says it all
    wanted = functional.one_hot(rows.classes, logits.shape[1]).to(logits)
    return _cross_entropy(logits, wanted, gains.class_positive, gains.focal_gamma).sum() / logits.shape[1]


def _cross_entropy(logits: Tensor, wanted: Tensor, positive: float, gamma: float) -> Tensor:
    """Binary cross-entropy of each value, focal (arXiv 1708.02002) where gamma is over 0."""
    weight = None if positive == 1 else logits.new_tensor(positive)
    loss = functional.binary_cross_entropy_with_logits(logits, wanted, pos_weight=weight, reduction="none")
    if gamma == 0:
        return loss
    chance = logits.sigmoid()
    hit = wanted * chance + (1 - wanted) * (1 - chance)
    alpha = wanted * FOCAL_ALPHA + (1 - wanted) * (1 - FOCAL_ALPHA)
    return loss * alpha * (1 - hit) ** gamma
