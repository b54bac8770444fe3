"""COCO's figures for boxes and masks, over all classes and for each.

COCO's rules (crowds, sizes, at most 100 detections of a class a photograph) are faster-coco-eval's, which agrees with
pycocotools but for the last bit of a float64 (2e-16).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields
from enum import Enum
from typing import Any

import numpy as np
from faster_coco_eval import COCO, COCOeval_faster
from jaxtyping import Float64

from tacit.data.sample import Dataset, Sample

Detection = dict[str, Any]  # one row of COCO's list of results: image_id, category_id, bbox (xywh), score
Truth = dict[str, Any]  # one of COCO's annotations: image_id, category_id, bbox or segmentation, area, iscrowd

_ALL, _SMALL, _MEDIUM, _LARGE = range(4)  # COCO's ranges of area: whole, to 32^2, to 96^2, above
_TOP_1, _TOP_10, _TOP_100 = range(3)  # COCO's limits of detections a photograph
_EVERY, _IOU_50, _IOU_75 = slice(None), slice(0, 1), slice(5, 6)  # of COCO's ten thresholds


class Compared(Enum):
    """What of an object is laid over its label, by COCO's name."""

    BOXES = "bbox"
    MASKS = "segm"


@dataclass(frozen=True)
class ClassScores:
    """The figures of one class, None without a label; `labels` counts its objects, crowds left out."""

    name: str
    ap: float | None
    ap50: float | None
    ar: float | None
    labels: int


@dataclass(frozen=True)
class DetectionScores:
    """COCO's figures in [0, 1]; None where nothing is labelled (COCO says -1), so that no mean takes it for a 0."""

    ap: float | None
    ap50: float | None
    ap75: float | None
    ap_small: float | None
    ap_medium: float | None
    ap_large: float | None
    ar1: float | None
    ar10: float | None
    ar100: float | None
    per_class: tuple[ClassScores, ...]

    def of(self, name: str) -> ClassScores:
        """The figures of the class `name`; raises KeyError for a class that the dataset does not have."""
        return {scores.name: scores for scores in self.per_class}[name]

    def figures(self) -> dict[str, float]:
        """The nine figures over all classes, AP first; those without labels are absent."""
        named = {field.name: getattr(self, field.name) for field in fields(self) if field.name != "per_class"}
        return {name: value for name, value in named.items() if value is not None}

    def headline(self, name: str) -> dict[str, float]:
        """What a record holds, over all classes and of the class `name`; figures without labels are absent."""
        one = self.of(name)
        figures = {"ap": self.ap, "ap50": self.ap50, "ap75": self.ap75, "ar100": self.ar100}
        figures |= {f"{name}_ap": one.ap, f"{name}_ap50": one.ap50}
        return {figure: value for figure, value in figures.items() if value is not None}


def coco_scores(dataset: Dataset, samples: Sequence[Sample], detections: list[Detection]) -> DetectionScores:
    """The figures of `detections` over `samples` of `dataset`, and over these only."""
    truths = [row for sample in samples for row in _boxes_of(dataset, sample)]
    return scores_of(dataset, samples, truths, detections, Compared.BOXES)


def scores_of(
    dataset: Dataset, samples: Sequence[Sample], truths: list[Truth], detections: list[Detection], compared: Compared
) -> DetectionScores:
    """The figures of `detections` against `truths`, both of `samples`."""
    tables = _Tables(_ground_truth(dataset, samples, truths), detections, compared)
    return DetectionScores(
        ap=tables.ap(),
        ap50=tables.ap(iou=_IOU_50),
        ap75=tables.ap(iou=_IOU_75),
        ap_small=tables.ap(area=_SMALL),
        ap_medium=tables.ap(area=_MEDIUM),
        ap_large=tables.ap(area=_LARGE),
        ar1=tables.ar(top=_TOP_1),
        ar10=tables.ar(top=_TOP_10),
        ar100=tables.ar(),
        per_class=_per_class(tables, dataset, truths),
    )


def _per_class(tables: _Tables, dataset: Dataset, truths: list[Truth]) -> tuple[ClassScores, ...]:
    labels = Counter(row["category_id"] for row in truths if not row["iscrowd"])
    rank = np.argsort(np.argsort(dataset.category_ids))  # the tables go by category number
    return tuple(
        ClassScores(
            name=name,
            ap=tables.ap(classes=slice(rank[index], rank[index] + 1)),
            ap50=tables.ap(iou=_IOU_50, classes=slice(rank[index], rank[index] + 1)),
            ar=tables.ar(classes=slice(rank[index], rank[index] + 1)),
            labels=labels[dataset.category_ids[index]],
        )
        for index, name in enumerate(dataset.classes)
    )


class _Tables:
    """COCO's precision (IoU, recall, class, area, top) and recall (IoU, class, area, top); -1 without labels."""

    def __init__(self, truth: dict[str, Any], detections: list[Detection], compared: Compared) -> None:
        labelled = COCO(truth)
        found = labelled.loadRes([dict(row) for row in detections])
        judge = COCOeval_faster(labelled, found, compared.value, print_function=_say_nothing)
        judge.evaluate()
        judge.accumulate()
        self.precision = np.asarray(judge.eval["precision"])
        self.recall = np.asarray(judge.eval["recall"])

    def ap(self, *, iou: slice = _EVERY, classes: slice = _EVERY, area: int = _ALL) -> float | None:
        return _mean(self.precision[iou, :, classes, area, _TOP_100])

    def ar(self, *, classes: slice = _EVERY, top: int = _TOP_100) -> float | None:
        return _mean(self.recall[:, classes, _ALL, top])


def _mean(values: Float64[np.ndarray, "..."]) -> float | None:
    known = values[values > -1]
    return float(known.mean()) if known.size else None


def _say_nothing(*_: object) -> None:
    """Takes what the library would print."""


def _boxes_of(dataset: Dataset, sample: Sample) -> Iterator[Truth]:
    rows = zip(sample.boxes.tolist(), sample.classes.tolist(), sample.crowd.tolist(), sample.area.tolist(), strict=True)
    for (x0, y0, x1, y1), index, crowd, area in rows:
        yield {
            "image_id": sample.id,
            "category_id": dataset.category_ids[index],
            "bbox": [x0, y0, x1 - x0, y1 - y0],
            "area": area,
            "iscrowd": int(crowd),
        }


def _ground_truth(dataset: Dataset, samples: Sequence[Sample], truths: list[Truth]) -> dict[str, Any]:
    return {
        "images": [{"id": sample.id, "width": sample.width, "height": sample.height} for sample in samples],
        "categories": [
            {"id": number, "name": name} for number, name in zip(dataset.category_ids, dataset.classes, strict=True)
        ],
        # COCO takes an annotation numbered 0 for "no annotation".
        "annotations": [{"id": number, **row} for number, row in enumerate(truths, 1)],
    }
