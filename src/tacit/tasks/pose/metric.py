"""Poses gathered over a dataset and scored as COCO does.

What is scored is what is saved: points rounded to 3 decimals and scores to 5, so that the file gives the same figures
again. The score of a pose is its box's times the mean confidence of its points: a box that is sure with points that are
guessed goes below one that is right about both.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from jaxtyping import Bool, Int64

from tacit.data.keypoints import KeypointLabels
from tacit.data.sample import Dataset, Sample
from tacit.errors import DataError
from tacit.results import Result
from tacit.tasks.metric import Metric, Table, percent
from tacit.tasks.pose.answer import Poses
from tacit.tasks.pose.body import sigmas_of
from tacit.tasks.pose.oks import Row, oks_figures

FILE = "poses.json"
FIGURES = ("oks_ap", "oks_ap50", "oks_ap75", "oks_ar")


class PoseMetric(Metric):
    """OKS AP over the photographs that label keypoints, whether or not such objects are on them.

    Points and classes are matched by name. Objects whose points nobody labelled are passed over, and so are the poses
    found on them, as COCO does with crowds.
    """

    def __init__(self, dataset: Dataset) -> None:
        assert len({sample.id for sample in dataset.samples}) == len(dataset.samples), "image ids must be unique"
        self.dataset, self.names = dataset, names_of(dataset)
        self.classes = classes_with_points(dataset)
        self._counted: dict[int, tuple[Sample, list[Row]]] = {}

    def update(self, sample: Sample, result: Result) -> None:
        """Counts one photograph; counting it again replaces what it gave before. Raises DataError where the poses have
        not all of the dataset's points.
        """
        poses = result.answer(Poses)
        if sample.label(KeypointLabels) is not None:
            self._counted[sample.id] = (sample, [] if poses is None else self._found(sample, result, poses))

    def figures(self) -> dict[str, float]:
        """COCO's four, by the names in FIGURES; see `oks_figures`."""
        return oks_figures(self.truth(), self.coco_json(), sigmas_of(self.names))

    def tables(self) -> list[Table]:
        figures, truth = self.figures(), self.truth()
        labelled = sum(row["num_keypoints"] > 0 and not row["iscrowd"] for row in truth["annotations"])
        row = (str(len(truth["images"])), str(labelled), *(percent(figures.get(name)) for name in FIGURES))
        return [Table("Poses", ("Images", "Labels", "OKS AP", "AP50", "AP75", "AR"), [row])]

    def write(self, folder: Path) -> list[str]:
        """The poses as COCO's list of keypoint results."""
        (folder / FILE).write_text(json.dumps(self.coco_json()), encoding="utf-8")
        return [FILE]

    def coco_json(self) -> list[Row]:
        """COCO's rows: image_id, category_id, keypoints (x, y, confidence of every point in one list), score."""
        return [row for _, rows in self._counted.values() for row in rows]

    def truth(self) -> dict[str, list[Row]]:
        """The labels of the photographs counted so far as COCO has them."""
        samples = [sample for sample, _ in self._counted.values()]
        rows = [row for sample in samples for row in self._labelled(sample)]
        return {
            "images": [{"id": sample.id, "width": sample.width, "height": sample.height} for sample in samples],
            "categories": [
                {"id": number, "name": name}
                for number, name in zip(self.dataset.category_ids, self.dataset.classes, strict=True)
                if name in self.classes
            ],
            # COCO takes an annotation numbered 0 for "no annotation".
            "annotations": [{"id": number, **row} for number, row in enumerate(rows, 1)],
        }

    def _labelled(self, sample: Sample) -> list[Row]:
        label = sample.label(KeypointLabels)
        assert label is not None
        visible = np.where(label.known[:, None], label.visible, 0)
        points = np.concatenate([label.points, visible[..., None]], axis=2) * (visible > 0)[..., None]
        corner, side = sample.boxes[:, :2], sample.boxes[:, 2:] - sample.boxes[:, :2]
        return [
            {
                "image_id": sample.id,
                "category_id": self.dataset.category_ids[sample.classes[row]],
                "bbox": [*corner[row].tolist(), *side[row].tolist()],
                "area": float(sample.area[row]),
                "iscrowd": int(sample.crowd[row]),
                "keypoints": points[row].ravel().tolist(),
                "num_keypoints": int(label.counted[row]) if label.known[row] else 0,
            }
            for row in range(len(sample.boxes))
            if self.dataset.classes[sample.classes[row]] in self.classes
        ]

    def _found(self, sample: Sample, result: Result, poses: Poses) -> list[Row]:
        columns = _columns(self.names, poses.body.names)
        category = dict(zip(self.dataset.classes, self.dataset.category_ids, strict=True))
        scores = result.scores * poses.points[..., 2].mean(1)
        return [
            {
                "image_id": sample.id,
                "category_id": category[result.names[result.classes[row]]],
                "keypoints": np.round(poses.points[row, columns].astype(np.float64), 3).ravel().tolist(),
                "score": round(float(scores[row]), 5),
            }
            for row in np.flatnonzero(poses.known).tolist()
            if result.names[result.classes[row]] in self.classes
        ]


def names_of(*datasets: Dataset) -> tuple[str, ...]:
    """The points that the datasets label. Raises DataError where they do not agree, or label none."""
    first: dict[tuple[str, ...], str] = {}
    for dataset in datasets:
        for sample in dataset.samples:
            if (label := sample.label(KeypointLabels)) is not None:
                first.setdefault(label.names, f"{sample.path}")
    if len(first) == 1:
        return next(iter(first))
    told = "; ".join(f"{path} has {len(names)} ({', '.join(names)[:60]})" for names, path in first.items())
    raise DataError(
        f"one set of keypoints is needed, but {told}" if first else "no photograph labels keypoints",
        allowed="datasets that all label the same keypoints, by name and order",
        fix="take the others out, or train on them apart",
    )


def classes_with_points(*datasets: Dataset) -> tuple[str, ...]:
    """The names of the classes of which at least one object has labelled points."""
    found = dict[str, None]()
    for dataset in datasets:
        for sample in dataset.samples:
            if (label := sample.label(KeypointLabels)) is not None:
                found |= dict.fromkeys(dataset.classes[index] for index in np.unique(sample.classes[pointed(label)]))
    return tuple(found)


def pointed(label: KeypointLabels) -> Bool[np.ndarray, " n"]:
    """Which objects have a labelled point."""
    return np.asarray(label.known & (label.counted > 0))


def _columns(wanted: Sequence[str], given: Sequence[str]) -> Int64[np.ndarray, " k"]:
    """Where the points that the dataset labels stand among those of the answer."""
    missing = [name for name in wanted if name not in given]
    if missing:
        raise DataError(
            f"the dataset labels {len(wanted)} keypoints, and the network does not know {', '.join(missing)[:80]}",
            allowed=f"{len(given)} keypoints: {', '.join(given)[:80]}",
            fix="score on a dataset with the network's keypoints, or name them alike",
        )
    return np.array([given.index(name) for name in wanted], np.int64)
