"""Non-maximum suppression: of boxes that show the same thing, keep the one with the best score.

Greedy suppression is a sequence, but it can be worked off in blocks: candidates in order of score, a few hundred at a
time; first drop those that an already kept box covers, then settle the rest of the block among themselves. It stops as
soon as `max_detections` are kept, so at a threshold of 0.001 most candidates are never looked at.

Classes are told apart by comparing them, not by moving the boxes of class c by 4096 c pixels as the reference does: that
shift costs float32 precision and mixes classes in photographs over 4096 pixels.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from tacit.geometry.boxes import xywh_to_xyxy
from tacit.geometry.iou import box_iou

BLOCK = 512  # candidates settled at once


def non_maximum_suppression(
    decoded: Float[Tensor, "batch rows channels"],
    *,
    confidence: float,
    iou: float,
    max_detections: int = 300,
    classes: Sequence[int] | None = None,
    agnostic: bool = False,
    multi_label: bool = True,
) -> list[Float[Tensor, "kept 6"]]:
    """The detections of every image, best first: rows [x0, y0, x1, y1, score, class].

    `decoded` rows are xywh in pixels, objectness, class probabilities. A score is objectness times class probability
    and counts if it is above `confidence`; a box falls to a better one of its class (of any class if `agnostic`) when
    their IoU is above `iou`. With `multi_label` a row may give one detection for each class, else only its best.
    `classes` limits the answer to these classes. Rows with a box that is not finite are dropped.
    Reference: official_models.md section 9, without merging.
    """
    return [
        _suppress(_candidates(rows, confidence, classes, multi_label), iou, max_detections, agnostic)
        for rows in decoded.detach()
    ]


def _candidates(rows: Tensor, confidence: float, classes: Sequence[int] | None, multi_label: bool) -> Tensor:
    """Rows (n, 6) of all (box, class) pairs whose score is above `confidence`, in order of row and class."""
    rows = rows[rows[:, 4] > confidence]  # a class probability is at most 1, so nothing is lost
    scores = rows[:, 5:] * rows[:, 4:5]
    if multi_label:
        row, label = (scores > confidence).nonzero(as_tuple=True)
        best = scores[row, label]
    else:
        best, label = scores.max(1) if len(scores) else (rows[:, 4], rows[:, 4].long())
        row = (best > confidence).nonzero()[:, 0]
        best, label = best[row], label[row]
    found = torch.cat([xywh_to_xyxy(rows[row, :4]), best[:, None], label[:, None].to(best.dtype)], 1)
    wanted = found[:, :4].isfinite().all(1)
    if classes is not None:
        wanted &= torch.isin(label, torch.tensor(list(classes), dtype=label.dtype, device=label.device))
    return found[wanted]


def _suppress(found: Tensor, iou: float, max_detections: int, agnostic: bool) -> Tensor:
    """The candidates (n, 6) that no better candidate covers, best first, at most `max_detections`."""
    order = found[:, 4].argsort(descending=True, stable=True)
    kept = found[:0]
    for block in order.split(BLOCK):
        fresh = found[block]
        fresh = fresh[~_covers(kept, fresh, iou, agnostic).any(0)]
        kept = torch.cat([kept, fresh[_settle(_covers(fresh, fresh, iou, agnostic))]])
        if len(kept) >= max_detections:
            break
    return kept[:max_detections]


def _covers(better: Tensor, worse: Tensor, iou: float, agnostic: bool) -> Bool[Tensor, "n m"]:
    covers = box_iou(better[:, :4], worse[:, :4]) > iou
    return covers if agnostic else covers & (better[:, None, 5] == worse[:, 5])


def _settle(covers: Bool[Tensor, "n n"]) -> Bool[Tensor, " n"]:
    """Which of n candidates, best first, survive greedy suppression among themselves.

    A candidate survives if no survivor before it covers it. Starting from "all survive" and applying that rule to all
    at once, the first i answers are final after i rounds, so the rounds end at the greedy answer; in practice after
    about as many as the longest chain of boxes that cover each other.
    """
    covers = covers.triu(1)
    alive = torch.ones(len(covers), dtype=torch.bool, device=covers.device)
    while True:
        after = ~(covers & alive[:, None]).any(0)
        if torch.equal(after, alive):
            return alive
        alive = after
