"""The protocol of a metric: takes results one by one, gives figures, tables and files."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import UInt8

from tacit.data.sample import Sample
from tacit.results import Result


@dataclass(frozen=True)
class Table:
    """Figures for people: a title, the names of the columns, and rows of text."""

    title: str
    header: tuple[str, ...]
    rows: Sequence[tuple[str, ...]]


class Metric(ABC):
    """Scores one task over a dataset."""

    @abstractmethod
    def update(self, sample: Sample, result: Result) -> None:
        """Counts one photograph; counting it again replaces what it gave before. Photographs that do not label the
        task are passed over.
        """

    def further(self, sample: Sample, image: UInt8[np.ndarray, "h w 3"]) -> list[tuple[Sample, np.ndarray]]:
        """Other pictures that it wants answered for this photograph, such as a second view of it; by default none."""
        assert image.shape[:2] == (sample.height, sample.width)
        return []

    @abstractmethod
    def figures(self) -> dict[str, float]:
        """The figures, the main one first; a figure without a single label is absent. All lie in [0, 1] but those whose
        definition says otherwise, and the main one always: it decides which weights are the best.
        """

    def record(self) -> dict[str, Any]:
        """Everything worth keeping, as plain values; by default the figures."""
        return dict(self.figures())

    @abstractmethod
    def tables(self) -> list[Table]:
        """The figures for people, in percent where they are parts of one."""

    def write(self, folder: Path) -> list[str]:
        """Writes charts and predictions into `folder`, which is there; the names of the files. By default none."""
        assert folder.is_dir()
        return []


def percent(value: float | None) -> str:
    """62.1 for 0.621; a dash where nothing is labelled."""
    return "-" if value is None else f"{100 * value:.1f}"
