"""What int8 costs: the main figure of every task before and after, on photographs that were not calibrated on."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from tacit.data.read import read
from tacit.data.sample import Dataset
from tacit.evaluate import evaluate, metrics_for
from tacit.rectangular import by_aspect
from tacit.runtime.calibration import evenly, labelled_splits
from tacit.runtime.engine import Engine
from tacit.stages import SCORING, Stages
from tacit.tasks.metric import percent
from tacit.tasks.task import with_labels

MOST = 1000
"""Photographs to score."""


@dataclass(frozen=True)
class Change:
    """The main figure of a task, in [0, 1]."""

    task: str
    figure: str
    before: float
    after: float

    def row(self) -> tuple[str, str, str, str]:
        """For a table, in percent."""
        change = f"{100 * (self.after - self.before):+.2f}"
        return f"{self.task} {self.figure}", percent(self.before), percent(self.after), change


def scored_dataset(stages: Stages, data: Path) -> Dataset | None:
    """What to score on: at most `MOST` photographs of the split that training would choose on, picked evenly.

    None where `data` is no dataset with such a split.
    """
    splits = labelled_splits(data)
    if splits is None:
        return None
    dataset = read(data, splits[1])
    some = replace(dataset, samples=tuple(evenly(dataset.samples, MOST)))
    return with_labels(some, map(stages.network.task, stages.network.tasks))


def changes(stages: Stages, after: Engine, dataset: Dataset, advance: Callable[[int], None]) -> list[Change]:
    """How the figures change when `after` calculates what `stages` does. Raises DataError where nothing is labelled."""
    before, now = (
        _main_figures(replace(stages, engine=engine, thresholds=SCORING), dataset, advance)
        for engine in (stages.engine, after)
    )
    return [Change(task, figure, value, now[task, figure]) for (task, figure), value in before.items()]


def _main_figures(stages: Stages, dataset: Dataset, advance: Callable[[int], None]) -> dict[tuple[str, str], float]:
    # one at a time and those of a shape after each other: some engines compile for every shape of a batch
    found = evaluate(stages, by_aspect(dataset), metrics_for(stages.network, dataset), batch=1, progress=advance)
    mains = {task: next(iter(metric.figures().items()), None) for task, metric in found.metrics.items()}
    return {(task, main[0]): main[1] for task, main in mains.items() if main is not None}
