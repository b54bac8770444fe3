"""Score a predictor against the labels of a dataset: one loop for training, the command line and foreign engines."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import UInt8

from tacit.data.images import load_image
from tacit.data.sample import Dataset, Fault, Sample
from tacit.errors import DataError, ImageError
from tacit.results import Result
from tacit.tasks.detect.coco_scores import DetectionScores
from tacit.tasks.detect.metric import DetectionMetric

Image = UInt8[np.ndarray, "_ _ 3"]
Predict = Callable[[list[Image]], Sequence[Result]]


@dataclass(frozen=True, eq=False)
class Evaluation:
    """The figures over `images` photographs; `faults` names those that could not be read and are not in the figures.

    `metric` still holds the detections, for curves, confusion matrix and COCO JSON; `seconds` is the whole time.
    """

    scores: DetectionScores
    metric: DetectionMetric
    faults: tuple[Fault, ...]
    images: int
    seconds: float


def evaluate(
    predict: Predict, dataset: Dataset, *, batch: int = 8, progress: Callable[[int], None] | None = None
) -> Evaluation:
    """Predicts every photograph of `dataset`, `batch` at a time, and scores the answers.

    `predict` takes RGB photographs and answers boxes in their pixels. `progress` is told after every batch how many
    photographs it held. Raises DataError when there is no photograph that can be read.
    """
    start, metric, faults, images = time.perf_counter(), DetectionMetric(dataset), list[Fault](), 0
    for group in _groups(dataset.samples, batch):
        samples, pictures, unread = _load(group)
        faults += unread
        if pictures:
            for sample, result in zip(samples, predict(pictures), strict=True):
                metric.update(sample, result)
        images += len(samples)
        if progress:
            progress(len(group))
    if not images:
        reason = str(faults[0]) if faults else "it holds none"
        raise DataError(f"no photograph of {dataset.root} ({dataset.split}) can be scored: {reason}")
    scores = metric.compute()
    return Evaluation(
        scores=scores, metric=metric, faults=tuple(faults), images=images, seconds=time.perf_counter() - start
    )


def _groups(samples: Sequence[Sample], size: int) -> Iterator[Sequence[Sample]]:
    return (samples[start : start + size] for start in range(0, len(samples), size))


def _load(group: Sequence[Sample]) -> tuple[list[Sample], list[Image], list[Fault]]:
    samples: list[Sample] = []
    pictures: list[Image] = []
    faults: list[Fault] = []
    for sample in group:
        try:
            pictures.append(load_image(sample.path))
        except ImageError as error:
            faults.append(Fault.of(sample.path, error))
        else:
            samples.append(sample)
    return samples, pictures, faults
