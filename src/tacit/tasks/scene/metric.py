"""Maps scored over a dataset: mIoU and pixel accuracy, and PQ where the results have instance masks as well.

Counted are photographs of which the map tells every class apart: every pixel is of a named class, or known to be of
none of them ("other"), or unknown. Where only some classes are known (persons masked, and nothing else) a wrong answer
beside them cannot be told from a right one, so such photographs are passed over. Unknown pixels are left out.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Int64

from tacit.data.map_read import map_names
from tacit.data.maps import OTHER, MapLabels, Meaning, renumbered
from tacit.data.sample import Dataset, Sample
from tacit.results import Result
from tacit.tasks.metric import Metric, Table, percent
from tacit.tasks.scene.answer import SceneMap
from tacit.tasks.scene.panoptic import instance_masks, panoptic
from tacit.tasks.scene.quality import Quality, Tally, compare, quality

NOWHERE = 65535  # the class of an unknown pixel


@dataclass(frozen=True, eq=False)
class _Counted:
    """Pixels of one photograph by class: right ones, labelled ones, and those that the answer gives the class."""

    pixels: Int64[np.ndarray, "3 classes"]
    things: Tally | None


class SceneMetric(Metric):
    """mIoU: of each class the pixels that are labelled and answered so, over those that are either; the mean over the
    classes (and "other") that have a labelled pixel. Answers of a class that the dataset does not have count as other.
    """

    def __init__(self, dataset: Dataset) -> None:
        self.names = (OTHER, *map_names([dataset]))
        self._counted: dict[int, _Counted] = {}

    def update(self, sample: Sample, result: Result) -> None:
        label, answer = sample.label(MapLabels), result.answer(SceneMap)
        if label is None or answer is None or not self._tells_all(label.source.meanings):
            return
        place = {name: index for index, name in enumerate(self.names)}
        found = np.array([place.get(name, 0) for name in answer.names])[answer.classes]
        meant = [place.get(meaning, 0) if isinstance(meaning, str) else 0 for meaning in label.source.meanings]
        wanted = renumbered(label.source.pixels(), meant, NOWHERE).astype(np.int64)
        known = wanted != NOWHERE
        wanted, found = wanted[known], found[known]
        counts = [np.bincount(some, minlength=len(self.names)) for some in (wanted[wanted == found], wanted, found)]
        self._counted[sample.id] = _Counted(np.stack(counts), _things(label, answer, result))

    def figures(self) -> dict[str, float]:
        """The "miou" and "pixel_accuracy"; with instance masks "pq", "sq" and "rq"."""
        right, wanted, _ = self._pixels()
        figures = dict[str, float]()
        if wanted.any():
            ious = self._ious()
            figures = {"miou": sum(ious.values()) / len(ious), "pixel_accuracy": float(right.sum() / wanted.sum())}
        measured = self._quality()
        return figures if measured is None else {**figures, "pq": measured.pq, "sq": measured.sq, "rq": measured.rq}

    def tables(self) -> list[Table]:
        figures, measured = self.figures(), self._quality()
        by_class = {} if measured is None else measured.by_class
        ious = self._ious()
        header = ("class", "IoU", *(("PQ",) if by_class else ()))
        names = [name for name in self.names if name in ious or name in by_class]
        rows = [
            (name, percent(ious.get(name)), *((percent(by_class.get(name)),) if by_class else ())) for name in names
        ]
        total = [(name, percent(value)) for name, value in figures.items()]
        return [Table("scene", ("figure", "percent"), total), Table("scene, by class", header, rows)]

    def _tells_all(self, meanings: Sequence[Meaning]) -> bool:
        return all(isinstance(meaning, str) or meaning >= set(self.names[1:]) for meaning in meanings)

    def _pixels(self) -> Int64[np.ndarray, "3 classes"]:
        total = np.zeros((3, len(self.names)), np.int64)
        for counted in self._counted.values():
            total += counted.pixels
        return total

    def _ious(self) -> dict[str, float]:
        """Of the classes that have a labelled pixel."""
        right, wanted, found = self._pixels().tolist()
        rows = zip(self.names, right, wanted, found, strict=True)
        return {name: hit / (here + there - hit) for name, hit, here, there in rows if here}

    def _quality(self) -> Quality | None:
        return quality(counted.things for counted in self._counted.values() if counted.things is not None)


def _things(label: MapLabels, answer: SceneMap, result: Result) -> Tally | None:
    """None where the labels or the result do not tell things apart."""
    wanted, masks = label.source.segments(), instance_masks(result)
    return None if wanted is None or masks is None else compare(wanted, panoptic(answer, result, masks.mask))
