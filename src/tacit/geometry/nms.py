"""Non-maximum suppression: of boxes that show the same thing, keep the one with the best score.

Greedy suppression is a sequence, but it can be worked off in blocks: candidates in order of score, a few hundred at a
time; first drop those that an already kept box covers, then settle the rest of the block among themselves. It stops as
soon as `max_detections` are kept, so at a threshold of 0.001 most candidates are neither sorted nor looked at.

Classes are told apart by comparing them, not by moving the boxes of class c by 4096 c pixels as the reference does:
that shift costs float32 precision and mixes classes in photographs over 4096 pixels.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import torch
from jaxtyping import Bool, Float, Int64
from torch import Tensor

from tacit.geometry.boxes import xywh_to_xyxy
from tacit.geometry.iou import box_iou

BLOCK = 256  # candidates settled at once
HEAD = 4096  # candidates sorted at first; the others only if these are used up


def non_maximum_suppression(
    decoded: Float[Tensor, "batch rows channels"],
    *,
    confidence: float,
    iou: float,
    max_detections: int = 300,
    classes: Sequence[int] | None = None,
    agnostic: bool = False,
    multi_label: bool = True,
) -> list[Float[Tensor, "_ 6"]]:
    """The detections of every image, best first: rows [x0, y0, x1, y1, score, class].

    `decoded` rows are xywh in pixels, objectness, class probabilities. A score is objectness times class probability
    and counts if it is above `confidence`; a box falls to a better one of its class (of any class if `agnostic`) when
    their IoU is above `iou`. With `multi_label` a row may give one detection for each class, else only its best.
    `classes` limits the answer to these classes. Rows with a box that is not finite are dropped.
    Reference: official_models.md section 9, without merging.
    """
    return [
        suppress(
            rows, confidence=confidence, iou=iou, max_detections=max_detections, classes=classes, agnostic=agnostic,
            multi_label=multi_label,
        )[0]
        for rows in decoded
    ]  # fmt: skip


def suppress(
    decoded: Float[Tensor, "rows channels"],
    *,
    confidence: float,
    iou: float,
    max_detections: int = 300,
    classes: Sequence[int] | None = None,
    agnostic: bool = False,
    multi_label: bool = True,
) -> tuple[Float[Tensor, "n 6"], Int64[Tensor, " n"]]:
    """One image's detections, and the number of the row that each comes from; options as above."""
    decoded = decoded.detach()
    # A class probability is at most 1, so a score cannot exceed its objectness.
    source = ((decoded[:, 4] > confidence) & decoded[:, :4].isfinite().all(1)).nonzero()[:, 0]
    rows = decoded[source]
    scores = rows[:, 5:] * rows[:, 4:5]
    pairs = _pairs(scores, confidence, multi_label)
    if classes is not None:
        wanted = torch.tensor(list(classes), dtype=pairs.dtype, device=pairs.device)
        pairs = pairs[torch.isin(pairs % scores.shape[1], wanted)]
    found, kept = _suppress(xywh_to_xyxy(rows[:, :4]), scores, pairs, iou, max_detections, agnostic)
    return found, source[kept.div(scores.shape[1], rounding_mode="floor")]


def _pairs(scores: Float[Tensor, "n classes"], confidence: float, multi_label: bool) -> Tensor:
    """The (row, class) pairs that score above `confidence`, as indices into the flattened scores."""
    above = (scores > confidence).flatten().nonzero()[:, 0]
    if multi_label:
        return above
    row = torch.arange(len(scores), device=scores.device)
    best = row * scores.shape[1] + scores.argmax(1)
    return best[scores.flatten()[best] > confidence]


def _suppress(
    boxes: Tensor, scores: Tensor, pairs: Tensor, iou: float, max_detections: int, agnostic: bool
) -> tuple[Tensor, Tensor]:
    """The pairs that no better pair covers, best first, at most `max_detections`: as rows of the answer, and which."""
    values, labels = scores.flatten()[pairs], pairs % scores.shape[1]
    kept, chosen = boxes.new_empty(0, 6), pairs[:0]
    for block in _best_first(values):
        row = pairs[block].div(scores.shape[1], rounding_mode="floor")
        fresh = torch.cat([boxes[row], values[block, None], labels[block, None].to(boxes.dtype)], 1)
        free = ~_covers(kept, fresh, iou, agnostic).any(0)
        fresh, block = fresh[free], block[free]
        alive = _settle(_covers(fresh, fresh, iou, agnostic))
        kept, chosen = torch.cat([kept, fresh[alive]]), torch.cat([chosen, pairs[block[alive]]])
        if len(kept) >= max_detections:
            break
    return kept[:max_detections], chosen[:max_detections]


def _best_first(values: Float[Tensor, " n"]) -> Iterator[Tensor]:
    """Blocks of indices of `values`, from the highest to the lowest, equal ones in their order."""
    cut = values.topk(min(HEAD, len(values))).values[-1:]
    for part in (values >= cut, values < cut):
        index = part.nonzero()[:, 0]
        order = index[values[index].argsort(descending=True, stable=True)]
        for start in range(0, len(order), BLOCK):
            yield order[start : start + BLOCK]


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
