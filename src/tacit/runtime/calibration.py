"""Photographs to measure ranges on: which of a folder or dataset, and how they become the network's input."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import numpy as np
from jaxtyping import Float32

from tacit.data.folders import photographs
from tacit.data.images import load_image
from tacit.data.read import read, training_splits
from tacit.data.sample import Fault
from tacit.errors import DataError, ImageError
from tacit.stages import Stages

T = TypeVar("T")


@dataclass(frozen=True)
class Calibration:
    """Photographs through `stages` as far as the network's input, one at a time, as often as they are asked for."""

    stages: Stages
    paths: tuple[Path, ...]
    faults: tuple[Fault, ...]
    """Of those that would have been among them and cannot be read."""

    def __iter__(self) -> Iterator[Float32[np.ndarray, "1 3 h w"]]:
        for path in self.paths:
            image = load_image(path)
            plan = self.stages.plan(image)
            yield self.stages.preprocess([image], [plan]).cpu().numpy()


def calibration(stages: Stages, data: Path, count: int) -> Calibration:
    """`count` photographs of `data`, picked evenly, or all where there are fewer.

    Of a dataset with splits they come from the one that `tacit train` would learn from, so that the other can be
    scored; of any other folder from all of it. Raises DataError where there is none that can be read.
    """
    sound, faults = list[Path](), list[Fault]()
    for path in evenly(_photographs(data), count):
        try:
            load_image(path)
        except ImageError as error:
            faults.append(Fault.of(path, error))
        else:
            sound.append(path)
    if not sound:
        reason = f"none can be read ({faults[0]})" if faults else "there is none"
        raise DataError(
            f"{data} has no photographs to calibrate on: {reason}",
            fix="name a folder of photographs such as the model will see",
        )
    return Calibration(stages, tuple(sound), tuple(faults))


def labelled_splits(data: Path) -> tuple[str, str] | None:
    """What to calibrate on and what to score on, if `data` is a dataset that has both."""
    try:
        return training_splits(data)
    except DataError:
        return None


def evenly(things: Sequence[T], count: int) -> list[T]:
    """`count` of them, as far from each other as can be; all where there are fewer."""
    count = min(count, len(things))
    return [things[place * len(things) // count] for place in range(count)]


def _photographs(data: Path) -> list[Path]:
    if not data.exists():
        raise DataError(f"{data} is not there", allowed="a folder of photographs, or a dataset", fix="check the path")
    splits = labelled_splits(data)
    return photographs(data) if splits is None else [sample.path for sample in read(data, splits[0]).samples]
