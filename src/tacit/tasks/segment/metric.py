"""Masks gathered over a dataset, and COCO's figures for them.

A photograph may be masked in part. It counts for the classes of which every object in it is masked: what is found of
another class there is neither right nor wrong, and is left out.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from faster_coco_eval.core import mask as coco_mask

from tacit.data.masks import MaskLabels
from tacit.data.sample import Dataset, Sample
from tacit.results import Result
from tacit.tasks.detect.coco_scores import Compared, Detection, DetectionScores, Truth, scores_of
from tacit.tasks.detect.coco_tables import coco_tables
from tacit.tasks.known_classes import KnownClasses
from tacit.tasks.metric import Metric, Table
from tacit.tasks.segment.answer import Masks
from tacit.tasks.segment.runs import Runs, compressed, runs_of

PERSON = "person"  # the class whose masks are complete in the most photographs; it has figures of its own


@dataclass(frozen=True, eq=False)
class _Counted:
    """One photograph: what is labelled and what was found, of the classes that count in it."""

    sample: Sample
    truths: Sequence[Truth]
    found: Sequence[Detection]


class MaskMetric(Metric):
    """COCO's mask AP, over the classes of each photograph of which every object is masked.

    Classes are matched by name (`KnownClasses`).
    """

    def __init__(self, dataset: Dataset) -> None:
        self.dataset = dataset
        self._counted: dict[int, _Counted] = {}
        self._known = KnownClasses(dataset.classes)

    def update(self, sample: Sample, result: Result) -> None:
        """Counts one photograph; see `Metric`. Raises DataError where the model shares no class with the dataset."""
        label, masks = sample.label(MaskLabels), result.answer(Masks)
        if label is None:
            return
        counts = _counting(label, len(self.dataset.classes))
        if not counts.any():
            return
        assert masks is not None
        index = self._known.index(result.names)[result.classes]
        order = np.argsort(-result.scores, kind="stable")
        order = order[(index[order] >= 0) & counts[index[order]]]
        found = [
            {
                "image_id": sample.id,
                "category_id": self.dataset.category_ids[index[row]],
                "segmentation": masks.runs(row),
                "score": round(float(result.scores[row]), 5),
            }
            for row in order.tolist()
        ]
        self._counted[sample.id] = _Counted(sample, list(self._truths(sample, label, counts)), found)

    def compute(self) -> DetectionScores:
        """COCO's figures over the photographs counted so far."""
        counted = list(self._counted.values())
        truths = [row for one in counted for row in one.truths]
        return scores_of(self.dataset, [one.sample for one in counted], truths, self.coco_json(), Compared.MASKS)

    def coco_json(self) -> list[Detection]:
        """What was found, as COCO's list of results with compressed run lengths."""
        return [row for one in self._counted.values() for row in one.found]

    def record(self) -> dict[str, Any]:
        """COCO's figures, by class too; null where nothing is labelled."""
        return asdict(self.compute())

    def figures(self) -> dict[str, float]:
        """COCO's with "mask_" before them, and those of persons; figures without labels are absent."""
        scores = self.compute()
        named = {f"mask_{name}": value for name, value in scores.figures().items()}
        for one in scores.per_class:
            if one.name == PERSON and one.ap is not None and one.ap50 is not None:
                named |= {f"{PERSON}_mask_ap": one.ap, f"{PERSON}_mask_ap50": one.ap50}
        return named

    def tables(self) -> list[Table]:
        """COCO's figures over all classes, and by class."""
        return coco_tables(self.compute(), "masks")

    def write(self, folder: Path) -> list[str]:
        """The masks as COCO JSON."""
        (folder / "masks.json").write_text(json.dumps(self.coco_json()), encoding="utf-8")
        return ["masks.json"]

    def _truths(self, sample: Sample, label: MaskLabels, counts: np.ndarray) -> Iterator[Truth]:
        """An object without a mask where all should have one is passed over like a crowd, as far as its box reaches."""
        for row in np.flatnonzero(counts[sample.classes]).tolist():
            runs = _runs(sample, label, row)
            yield {
                "image_id": sample.id,
                "category_id": self.dataset.category_ids[sample.classes[row]],
                "segmentation": _filled_box(sample, row) if runs is None else runs,
                "area": float(sample.area[row]),
                "iscrowd": int(runs is None or sample.crowd[row]),
            }


def _counting(label: MaskLabels, classes: int) -> np.ndarray:
    """Which of the dataset's classes are masked completely, (classes,)."""
    if label.complete is None:
        return np.ones(classes, bool)
    return np.isin(np.arange(classes), list(label.complete))


def _runs(sample: Sample, label: MaskLabels, row: int) -> Runs | None:
    """The mask as the source has it, or drawn from its outline."""
    shape = (sample.height, sample.width)
    source = label.sources[row] if label.sources else None
    if source is not None:
        return compressed(source, shape)
    if label.outlines[row] is None:
        return None
    return runs_of(label.kept(np.array([row])).raster(*shape)[0], (0, 0), shape)


def _filled_box(sample: Sample, row: int) -> Runs:
    x0, y0, x1, y1 = sample.boxes[row].tolist()
    shape = (sample.height, sample.width)
    return compressed(coco_mask.frPyObjects([[x0, y0, x1 - x0, y1 - y0]], *shape)[0], shape)
