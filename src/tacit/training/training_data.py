"""What a run learns from and chooses on: several datasets brought to one list of classes, with labels for its tasks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from tacit.data.augment import Augment
from tacit.data.follow import renamed
from tacit.data.read import WHOLE, available_splits, read, require_clean, training_splits
from tacit.data.sample import Dataset, Fault, Sample
from tacit.data.tickets import Share
from tacit.errors import ConfigError, DataError
from tacit.nn.uses import Uses
from tacit.tasks.bend import uses_to_json
from tacit.tasks.task import Plan, Task, with_labels
from tacit.training.recipe import Recipe
from tacit.training.reporter import Reporter

Kinds = Mapping[str, type[Task]]
MOST_MOSAICS = 0.5


@dataclass(frozen=True, eq=False)
class TrainingData:
    """Datasets to train on, all with one list of classes, and by task the dataset to choose on."""

    sets: tuple[Dataset, ...]
    validation: Mapping[str, Dataset]
    classes: tuple[str, ...]
    faults: tuple[Fault, ...]

    @property
    def samples(self) -> tuple[Sample, ...]:
        """All to train on, dataset behind dataset."""
        return tuple(sample for dataset in self.sets for sample in dataset.samples)

    def shares(self, weights: Sequence[float]) -> list[Share]:
        """What part of an epoch each dataset makes up."""
        pairs = zip(self.sets, weights, strict=True) if weights else ()
        return [Share(len(data.samples), weight) for data, weight in pairs]

    def counts(self, tasks: Kinds) -> dict[str, int]:
        """How many photographs teach each task."""
        return {name: sum(map(task.labels, self.samples)) for name, task in tasks.items()}

    def plans(self, knowledge: Uses, tasks: Kinds) -> dict[str, Plan]:
        """What each task has to answer, and where it uses knowledge, if not as every published YOLOR."""
        return {name: {**task.plan_for(self.sets), **_told(task.uses(knowledge))} for name, task in tasks.items()}


def _told(uses: Uses) -> Plan:
    return {} if uses == Uses() else {"knowledge": uses_to_json(uses)}


def gather(recipe: Recipe, tasks: Kinds) -> TrainingData:
    """Read every dataset of the recipe. The first with boxes gives the classes. Each task is chosen on the first that
    labels it; of a dataset that no task is chosen on and that has no splits, all photographs are trained on.

    Raises DataError, in a strict recipe for any fault, and ConfigError without data.
    """
    if not recipe.data:
        raise ConfigError("there is nothing to train on", fix="name a dataset: tacit train --data PATH")
    sets, validation = list[Dataset](), dict[str, Dataset]()
    for path in recipe.data:
        left = {name: task for name, task in tasks.items() if name not in validation}
        train, held = _parts(path, recipe, tasks, left)
        sets.append(train)
        if held is not None:
            found = [name for name, task in left.items() if task.enough(held.samples)]
            validation.update(dict.fromkeys(found, held))
    chosen = tuple(dict.fromkeys(validation.values()))
    if recipe.strict:
        for dataset in (*sets, *chosen):
            require_clean(dataset)
    classes = next((data.classes for data in sets if _boxed(data)), ())
    for name, task in tasks.items():
        _require(name, task, sets, validation)
    faults = dict.fromkeys(fault for dataset in (*sets, *chosen) for fault in dataset.faults)
    return TrainingData(tuple(_renamed(data, classes) for data in sets), validation, classes, tuple(faults))


def _parts(path: Path, recipe: Recipe, tasks: Kinds, left: Kinds) -> tuple[Dataset, Dataset | None]:
    """What of a dataset to train on, and what to choose the tasks on that are `left`, if it labels any of them."""
    first = path == recipe.data[0]
    whole = available_splits(path) == (WHOLE,)
    train_split, held_split = training_splits(path)
    held = None
    if left or first:
        held = with_labels(read(path, held_split, min_score=recipe.min_score, verify=recipe.strict), tasks.values())
    if held is not None and not first and not any(task.enough(held.samples) for task in left.values()):
        held = None
    split = WHOLE if whole and held is None else train_split
    return with_labels(read(path, split, min_score=recipe.min_score), tasks.values()), held


def _require(name: str, task: type[Task], sets: Sequence[Dataset], validation: Mapping[str, Dataset]) -> None:
    """Raises DataError for a task that nothing teaches, or that could not be chosen on anything."""
    told = ", ".join(str(data.root) for data in sets)
    learns = any(task.enough(data.samples) for data in sets)
    if not learns or name not in validation:
        raise DataError(
            f"{told} label nothing for the task {name!r} to {'choose on' if learns else 'learn from'}",
            allowed="at least one labelled photograph in the split to train on and in the one to choose on",
            fix="add a dataset with such labels, or leave the task out",
        )


def _boxed(dataset: Dataset) -> bool:
    return any(sample.boxed for sample in dataset.samples)


def _renamed(dataset: Dataset, classes: Sequence[str]) -> Dataset:
    """The dataset with class ids that count along `classes`."""
    if not _boxed(dataset) or dataset.classes == tuple(classes):
        return dataset
    unknown = [name for name in dataset.classes if name not in classes]
    if unknown:
        raise DataError(
            f"{dataset.root} has classes that the first dataset lacks: {', '.join(unknown[:5])}",
            allowed=", ".join(classes[:20]),
            fix="name the dataset with all classes first",
        )
    ids = np.array([classes.index(name) for name in dataset.classes], np.int64)
    samples = [
        replace(sample, classes=ids[sample.classes], labels=renamed(sample.labels, ids)) for sample in dataset.samples
    ]
    return replace(dataset, classes=tuple(classes), samples=tuple(samples))


def tell_data(data: TrainingData, kinds: Kinds, reporter: Reporter) -> None:
    """Tells what there is to learn from, and what was left out."""
    boxes = sum(len(sample.boxes) for sample in data.samples)
    held = {id(sample): None for dataset in data.validation.values() for sample in dataset.samples}
    reporter.note(
        f"{len(data.samples)} photographs with {boxes} boxes of {len(data.classes)} classes to train on, "
        f"{len(held)} to choose on"
    )
    if len(kinds) > 1:
        counts = ", ".join(f"{name} {count}" for name, count in data.counts(kinds).items())
        reporter.note(f"photographs that teach each task: {counts}")
    for fault in sorted(data.faults, key=lambda fault: fault.lost == "nothing"):  # losses first
        reporter.fault(fault)


def leaving_whole(augment: Augment, tasks: Mapping[str, Task | type[Task]], reporter: Reporter) -> Augment:
    """Mosaics for half of the photographs at most where a task learns from whole ones alone, and a note of it."""
    whole = [name for name, task in tasks.items() if task.whole]
    if not whole or augment.mosaic <= MOST_MOSAICS:
        return augment
    names = " and ".join(whole)
    reporter.note(f"mosaics for {MOST_MOSAICS:.0%} of the photographs: {names} learn from whole ones alone")
    return replace(augment, mosaic=MOST_MOSAICS)
