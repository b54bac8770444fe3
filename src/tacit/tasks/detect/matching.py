"""Which detections are right, and what follows from it: precision, recall, F1, AP and the confusion matrix.

This is the reference's own scoring (official_models.md section 9), kept for its curves and its figures at one
confidence. The figures that are reported as COCO AP come from `metric.py`.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Bool, Float, Float32, Int64

from tacit.geometry.iou import box_iou

THRESHOLDS = np.linspace(0.5, 0.95, 10, dtype=np.float32)
RECALLS = np.linspace(0, 1, 101)
REPORTED_CONFIDENCE = 0.1  # where the reference reads precision and recall off their curves


@dataclass(frozen=True, eq=False)
class Curves:
    """How precision falls as recall rises, for each class that has labels (`classes`, their numbers).

    `ap` is the reference's at each of THRESHOLDS. At IoU 0.5: `envelope` is the precision at each of RECALLS, 0 where
    that recall is never reached; `precision`, `recall` and `f1` hold for detections above REPORTED_CONFIDENCE.
    """

    classes: Int64[np.ndarray, " c"]
    labels: Int64[np.ndarray, " c"]
    ap: Float[np.ndarray, "c thresholds"]
    envelope: Float[np.ndarray, "c 101"]
    precision: Float[np.ndarray, " c"]
    recall: Float[np.ndarray, " c"]

    @property
    def f1(self) -> Float[np.ndarray, " c"]:
        """The harmonic mean of precision and recall."""
        both = self.precision + self.recall
        return np.asarray(2 * self.precision * self.recall / np.maximum(both, 1e-16))


def overlaps(a: Float32[np.ndarray, "n 4"], b: Float32[np.ndarray, "m 4"]) -> Float32[np.ndarray, "n m"]:
    """IoU of all pairs of xyxy boxes, as arrays."""
    return box_iou(torch.from_numpy(a), torch.from_numpy(b)).numpy()


def match(
    boxes: Float32[np.ndarray, "n 4"],
    classes: Int64[np.ndarray, " n"],
    label_boxes: Float32[np.ndarray, "m 4"],
    label_classes: Int64[np.ndarray, " m"],
) -> Bool[np.ndarray, "n 10"]:
    """Whether each detection of one photograph, best first, is right at each of THRESHOLDS.

    A detection goes to the label of its class that it overlaps most, if by more than 0.5. Of the detections at one
    label the first is right, the others are wrong: none moves on to its second-best label.
    """
    correct = np.zeros((len(boxes), len(THRESHOLDS)), bool)
    if not len(boxes) or not len(label_boxes):
        return correct
    iou = overlaps(boxes, label_boxes) * (classes[:, None] == label_classes)
    best, label = iou.max(1), iou.argmax(1)
    near = np.flatnonzero(best > THRESHOLDS[0])
    first = near[np.unique(label[near], return_index=True)[1]]
    correct[first] = best[first, None] > THRESHOLDS
    return correct


def average_precision(
    correct: Bool[np.ndarray, "n thresholds"],
    scores: Float32[np.ndarray, " n"],
    classes: Int64[np.ndarray, " n"],
    labelled: Int64[np.ndarray, " m"],
) -> Curves:
    """The curves of all detections of a dataset, in any order; `labelled` holds the class of every label."""
    order = np.argsort(-scores, kind="stable")
    correct, scores, classes = correct[order], scores[order], classes[order]
    found, counts = np.unique(labelled, return_counts=True)
    rows = [
        _curve(correct[classes == c], scores[classes == c], count)
        for c, count in zip(found, counts.tolist(), strict=True)
    ]
    return Curves(
        classes=found.astype(np.int64),
        labels=counts.astype(np.int64),
        ap=np.array([row[0] for row in rows]).reshape(len(rows), correct.shape[1]),
        envelope=np.array([row[1] for row in rows]).reshape(len(rows), len(RECALLS)),
        precision=np.array([row[2] for row in rows], float),
        recall=np.array([row[3] for row in rows], float),
    )


def _curve(correct: np.ndarray, scores: np.ndarray, labels: int) -> tuple[np.ndarray, np.ndarray, float, float]:
    """AP at each threshold, and at IoU 0.5 the envelope, precision and recall, of one class's detections."""
    if not len(correct):
        return np.zeros(correct.shape[1]), np.zeros(len(RECALLS)), 0.0, 0.0
    hits = correct.cumsum(0)
    recall, precision = hits / labels, hits / np.arange(1, len(hits) + 1)[:, None]
    envelopes = np.stack([_envelope(recall[:, t], precision[:, t]) for t in range(correct.shape[1])])
    ap = ((envelopes[:, 1:] + envelopes[:, :-1]) / 2).mean(1)  # the trapezoid rule over equal steps from 0 to 1
    reported = [np.interp(-REPORTED_CONFIDENCE, -scores, curve[:, 0]) for curve in (precision, recall)]
    return ap, _reached(recall[:, 0], precision[:, 0]), float(reported[0]), float(reported[1])


def _envelope(recall: np.ndarray, precision: np.ndarray) -> np.ndarray:
    """The reference's curve at RECALLS, which only its AP is taken from.

    It reads between the measured points in straight lines, and after the last falls in one to 0 at recall 1: a little
    more area than COCO's steps, but 0.995 for detections without a fault.
    """
    recall = np.concatenate([[0.0], recall, [max(1.0, recall[-1])]])
    precision = np.concatenate([[0.0], precision, [0.0]])
    return np.asarray(np.interp(RECALLS, recall, _best_from_here(precision)))


def _reached(recall: np.ndarray, precision: np.ndarray) -> np.ndarray:
    """The best precision at each of RECALLS or beyond, in steps as COCO's, 0 after the last recall."""
    return np.asarray(np.append(_best_from_here(precision), 0.0)[np.searchsorted(recall, RECALLS)])


def _best_from_here(precision: np.ndarray) -> np.ndarray:
    return np.asarray(np.maximum.accumulate(precision[::-1])[::-1])


def confusion(
    boxes: Float32[np.ndarray, "n 4"],
    classes: Int64[np.ndarray, " n"],
    label_boxes: Float32[np.ndarray, "m 4"],
    label_classes: Int64[np.ndarray, " m"],
    class_count: int,
) -> Int64[np.ndarray, "labelled predicted"]:
    """One photograph's counts of labelled class (row) against predicted class (column).

    Boxes are paired one to one by overlap above 0.5, the closest first, whatever their classes. The last row counts
    detections of nothing that is labelled, the last column labels that nothing was detected for.
    """
    nothing = class_count
    matrix = np.zeros((class_count + 1, class_count + 1), np.int64)
    detected = np.full(len(label_boxes), nothing)
    shown = np.full(len(boxes), nothing)
    iou = overlaps(boxes, label_boxes)
    rows, columns = np.nonzero(iou > THRESHOLDS[0])
    for pair in np.argsort(-iou[rows, columns], kind="stable"):
        row, column = rows[pair], columns[pair]
        if shown[row] == nothing and detected[column] == nothing:
            shown[row], detected[column] = label_classes[column], classes[row]
    np.add.at(matrix, (label_classes, detected), 1)
    np.add.at(matrix, (nothing, classes[shown == nothing]), 1)
    return matrix
