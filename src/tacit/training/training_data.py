"""What a run learns from and chooses on: several datasets brought to one list of classes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from tacit.data.read import WHOLE, available_splits, read, require_clean, training_splits
from tacit.data.sample import Dataset, Fault, Sample
from tacit.errors import ConfigError, DataError
from tacit.training.recipe import Recipe


@dataclass(frozen=True, eq=False)
class TrainingData:
    """Samples to train on (classes as in `validation`), the dataset to choose on, and what was left out of both."""

    samples: tuple[Sample, ...]
    validation: Dataset
    faults: tuple[Fault, ...]

    @property
    def classes(self) -> tuple[str, ...]:
        """Class names, by id."""
        return self.validation.classes


def gather(recipe: Recipe) -> TrainingData:
    """Read every dataset of the recipe. The first gives the classes and validates; of the others that have no splits
    all photographs are trained on. Raises DataError, in a strict recipe for any fault, and ConfigError without data.
    """
    if not recipe.data:
        raise ConfigError("there is nothing to train on", fix="name a dataset: tacit train --data PATH")
    first, *others = recipe.data
    train_split, val_split = training_splits(first)
    validation = read(first, val_split, min_score=recipe.min_score, verify=recipe.strict)
    sets = [read(first, train_split, min_score=recipe.min_score)]
    sets += [_read_extra(path, recipe.min_score) for path in others]
    if recipe.strict:
        for dataset in (*sets, validation):
            require_clean(dataset)
    samples = [sample for dataset in sets for sample in _renamed(dataset, validation.classes)]
    for purpose, some in (("learn from", samples), ("choose on", validation.samples)):
        if all(sample.crowd.all() for sample in some):
            raise DataError(f"{first} has no boxes to {purpose}", allowed="at least one labelled photograph")
    faults = dict.fromkeys(fault for dataset in (*sets, validation) for fault in dataset.faults)
    return TrainingData(tuple(samples), validation, tuple(faults))


def _read_extra(path: Path, min_score: float) -> Dataset:
    split = WHOLE if available_splits(path) == (WHOLE,) else training_splits(path)[0]
    return read(path, split, min_score=min_score)


def _renamed(dataset: Dataset, classes: Sequence[str]) -> list[Sample]:
    """Samples whose class ids count along `classes`."""
    unknown = [name for name in dataset.classes if name not in classes]
    if unknown:
        raise DataError(
            f"{dataset.root} has classes that the first dataset lacks: {', '.join(unknown[:5])}",
            allowed=", ".join(classes[:20]),
            fix="name the dataset with all classes first",
        )
    ids = np.array([classes.index(name) for name in dataset.classes], np.int64)
    return [replace(sample, classes=ids[sample.classes]) for sample in dataset.samples]
