"""Score a predictor against the labels of a dataset: one loop for training, the command line and foreign engines."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import UInt8

from tacit.data.images import load_image
from tacit.data.sample import Dataset, Fault, Sample
from tacit.errors import DataError, ImageError
from tacit.network import Network
from tacit.results import DETECT, Result
from tacit.tasks.detect.coco_scores import DetectionScores
from tacit.tasks.detect.metric import DetectionMetric
from tacit.tasks.metric import Metric

Image = UInt8[np.ndarray, "_ _ 3"]
Predict = Callable[[list[Image]], Sequence[Result]]


@dataclass(frozen=True, eq=False)
class Evaluation:
    """The figures over `images` photographs; `faults` names those that could not be read and are not in the figures.

    `metrics`, by task, still hold the answers, for charts and predictions; `seconds` is the whole time.
    """

    metrics: Mapping[str, Metric]
    faults: tuple[Fault, ...]
    images: int
    seconds: float

    def figures(self) -> dict[str, float]:
        """Every figure as `task/figure`, those of detection by their own names."""
        return {
            figure if task == DETECT else f"{task}/{figure}": value
            for task, metric in self.metrics.items()
            for figure, value in metric.figures().items()
        }

    @property
    def metric(self) -> DetectionMetric:
        """That of detection."""
        metric = self.metrics[DETECT]
        assert isinstance(metric, DetectionMetric)
        return metric

    @property
    def scores(self) -> DetectionScores:
        """COCO's figures for boxes."""
        return self.metric.compute()


def metrics_for(network: Network, dataset: Dataset) -> dict[str, Metric]:
    """A metric for every task that the network has and some photograph of `dataset` labels, by the task's name.

    Raises DataError where there is none.
    """
    tasks = {name: network.task(name) for name in network.tasks}
    labelled = {name: task for name, task in tasks.items() if any(map(task.labels, dataset.samples))}
    if not labelled:
        raise DataError(
            f"{dataset.root} ({dataset.split}) labels nothing of what the network answers: {', '.join(tasks)}",
            fix="score on data with such labels",
        )
    return {name: task.metric(dataset) for name, task in labelled.items()}


def evaluate(
    predict: Predict,
    dataset: Dataset,
    metrics: Mapping[str, Metric] | None = None,
    *,
    batch: int = 8,
    progress: Callable[[int], None] | None = None,
) -> Evaluation:
    """Predicts every photograph of `dataset`, `batch` at a time, and scores the answers.

    `predict` takes RGB photographs and answers in their pixels. Without `metrics` its boxes are scored. `progress` is
    told after every batch how many photographs it held. Raises DataError when there is no photograph that can be read.
    """
    start, faults, images = time.perf_counter(), list[Fault](), 0
    metrics = {DETECT: DetectionMetric(dataset)} if metrics is None else metrics
    for group in _groups(dataset.samples, batch):
        samples, pictures, unread = _load(group)
        faults += unread
        if pictures:
            _score(predict, metrics, samples, pictures)
        images += len(samples)
        if progress:
            progress(len(group))
    if not images:
        reason = str(faults[0]) if faults else "it holds none"
        raise DataError(f"no photograph of {dataset.root} ({dataset.split}) can be scored: {reason}")
    return Evaluation(metrics=metrics, faults=tuple(faults), images=images, seconds=time.perf_counter() - start)


def _score(predict: Predict, metrics: Mapping[str, Metric], samples: Sequence[Sample], pictures: list[Image]) -> None:
    for sample, result in zip(samples, predict(pictures), strict=True):
        for name, metric in metrics.items():
            metric.update(sample, result.first(name))
    for name, metric in metrics.items():
        pairs = zip(samples, pictures, strict=True)
        further = [more for sample, picture in pairs for more in metric.further(sample, picture)]
        results = predict([picture for _, picture in further]) if further else ()
        for (sample, _), result in zip(further, results, strict=True):
            metric.update(sample, result.first(name))


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
