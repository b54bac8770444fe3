"""Detections gathered over a dataset: COCO's figures, the numbers behind the curves, and the predictions as COCO JSON.

What is scored is what is saved: boxes rounded to 3 decimals and scores to 5, as in the reference (official_models.md
section 9), so that the file gives the same figures again.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float32, Int64

from tacit.data.sample import Dataset, Sample
from tacit.results import Result
from tacit.tasks.detect.charts import save_confusion_matrix, save_precision_recall
from tacit.tasks.detect.coco_scores import Detection, DetectionScores, coco_scores
from tacit.tasks.detect.coco_tables import coco_tables
from tacit.tasks.detect.matching import THRESHOLDS, Curves, average_precision, confusion, match, overlaps
from tacit.tasks.known_classes import KnownClasses
from tacit.tasks.metric import Metric, Table

CONFUSION_CONFIDENCE = 0.25  # what a person sees when predicting


@dataclass(frozen=True, eq=False)
class _Found:
    """What was detected in one photograph, in the dataset's classes, best first."""

    sample: Sample
    boxes: Float32[np.ndarray, "n 4"]
    scores: Float32[np.ndarray, " n"]
    classes: Int64[np.ndarray, " n"]


class DetectionMetric(Metric):
    """Takes results one by one and scores them against the labels of the photographs that it was given.

    Classes are matched by name (`KnownClasses`).
    """

    def __init__(self, dataset: Dataset) -> None:
        assert len({sample.id for sample in dataset.samples}) == len(dataset.samples), "image ids must be unique"
        self.dataset = dataset
        self._found: dict[int, _Found] = {}
        self._known = KnownClasses(dataset.classes)

    def update(self, sample: Sample, result: Result) -> None:
        """Counts one photograph, if its boxes are labelled; counting it again replaces what it gave before.

        Raises DataError where the model shares no class with the dataset.
        """
        if not sample.boxed:
            return
        index = self._known.index(result.names)[result.classes]
        order = np.argsort(-result.scores, kind="stable")
        order = order[index[order] >= 0]
        self._found[sample.id] = _Found(sample, result.boxes[order], result.scores[order], index[order])

    def compute(self) -> DetectionScores:
        """COCO's figures over the photographs counted so far."""
        return coco_scores(self.dataset, [found.sample for found in self._found.values()], self.coco_json())

    def figures(self) -> dict[str, float]:
        """COCO's, AP first; those without labels are absent."""
        return self.compute().figures()

    def record(self) -> dict[str, Any]:
        """COCO's figures, by class too; null where nothing is labelled."""
        return asdict(self.compute())

    def tables(self) -> list[Table]:
        """COCO's figures over all classes, and by class."""
        return coco_tables(self.compute(), "boxes")

    def write(self, folder: Path) -> list[str]:
        """The predictions as COCO JSON, the curves and the confusion matrix."""
        (folder / "predictions.json").write_text(json.dumps(self.coco_json()), encoding="utf-8")
        save_precision_recall(self.curves(), self.dataset.classes, folder / "precision-recall.png")
        save_confusion_matrix(self.confusion_matrix(), self.dataset.classes, folder / "confusion.png")
        return ["predictions.json", "precision-recall.png", "confusion.png"]

    def coco_json(self) -> list[Detection]:
        """The detections as COCO's list of results, with the source's image and category numbers."""
        return [row for found in self._found.values() for row in self._rows(found)]

    def _rows(self, found: _Found) -> Iterator[Detection]:
        boxes = found.boxes.astype(np.float64)
        boxes[:, 2:] -= boxes[:, :2]
        for box, score, index in zip(
            boxes.round(3).tolist(),
            found.scores.astype(np.float64).round(5).tolist(),
            found.classes.tolist(),
            strict=True,
        ):
            category = self.dataset.category_ids[index]
            yield {"image_id": found.sample.id, "category_id": category, "bbox": box, "score": score}

    def curves(self) -> Curves:
        """Precision and recall by the reference's matching; crowds, and detections inside them, are left out."""
        counted = [_without_crowds(found) for found in self._found.values()]
        right = [match(found.boxes, found.classes, found.sample.boxes, found.sample.classes) for found in counted]
        return average_precision(
            np.concatenate([np.zeros((0, 10), bool), *right]),
            np.concatenate([np.zeros(0, np.float32), *(found.scores for found in counted)]),
            np.concatenate([np.zeros(0, np.int64), *(found.classes for found in counted)]),
            np.concatenate([np.zeros(0, np.int64), *(found.sample.classes for found in counted)]),
        )

    def confusion_matrix(self) -> Int64[np.ndarray, "labelled predicted"]:
        """Labelled class by predicted class, then "nothing", of detections above CONFUSION_CONFIDENCE."""
        classes = len(self.dataset.classes)
        total = np.zeros((classes + 1, classes + 1), np.int64)
        for found in map(_without_crowds, self._found.values()):
            sure = found.scores > CONFUSION_CONFIDENCE
            labels = found.sample
            total += confusion(found.boxes[sure], found.classes[sure], labels.boxes, labels.classes, classes)
        return total


def _without_crowds(found: _Found) -> _Found:
    """Without the labels of crowds, and without the detections inside a crowd of their class that show no label."""
    labels = found.sample
    if not labels.crowd.any():
        return found
    crowds, single = labels.boxes[labels.crowd], ~labels.crowd
    same = found.classes[:, None] == labels.classes
    in_crowd = (same[:, labels.crowd] & (_share_inside(found.boxes, crowds) > THRESHOLDS[0])).any(1)
    on_label = (same[:, single] & (overlaps(found.boxes, labels.boxes[single]) > THRESHOLDS[0])).any(1)
    keep = on_label | ~in_crowd
    alone = replace(
        labels,
        boxes=labels.boxes[single],
        classes=labels.classes[single],
        crowd=labels.crowd[single],
        area=labels.area[single],
    )
    return _Found(alone, found.boxes[keep], found.scores[keep], found.classes[keep])


def _share_inside(boxes: Float32[np.ndarray, "n 4"], regions: Float32[np.ndarray, "m 4"]) -> np.ndarray:
    """Which part of each box's area lies in each region, (n, m)."""
    corner = np.maximum(boxes[:, None, :2], regions[None, :, :2])
    shared = (np.minimum(boxes[:, None, 2:], regions[None, :, 2:]) - corner).clip(0).prod(2)
    area = (boxes[:, 2:] - boxes[:, :2]).clip(0).prod(1)
    return np.asarray(shared / np.maximum(area, 1e-9)[:, None])
