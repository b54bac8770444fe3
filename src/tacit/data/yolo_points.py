"""The keypoints that a `data.yaml` announces: `kpt_shape: [17, 3]`, and `flip_idx`, who is who in a mirror."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from tacit.data.figure import MOST_POINTS, PERSON, Figure, Note, Points, placed
from tacit.data.keypoints import SEEN, Pairs, pairs_of
from tacit.errors import DataError


@dataclass(frozen=True)
class LinePoints:
    """Behind the box of a line stand `values` numbers a point of `figure`: x and y, and with three what is visible."""

    figure: Figure
    values: int

    def points(self, stated: Sequence[float], width: int, height: int, note: Note) -> Points | None:
        """In pixels, as `placed` gives them. Of two numbers a point is seen wherever it is not (0, 0)."""
        rows = self.figure.rows(stated, self.values, note)
        if rows is None:
            return None
        visible = rows[:, 2] if self.values == 3 else SEEN * rows.any(axis=1)
        return placed(np.stack([rows[:, 0] * width, rows[:, 1] * height, visible], axis=1), width, height, note)


def line_points(file: Path, config: dict[str, Any]) -> LinePoints | None:
    """What the parsed `config` of `file` announces. Raises DataError."""
    if "kpt_shape" not in config:
        return None
    shape, flip = _integers(config["kpt_shape"]), _integers(config.get("flip_idx") or [])
    if shape is None or len(shape) != 2 or not 1 <= shape[0] <= MOST_POINTS or shape[1] not in {2, 3}:
        raise DataError(
            f"{file} has no sound kpt_shape: {str(config['kpt_shape'])[:60]}",
            allowed=f"[points, numbers a point], as [17, 3], with 2 or 3 numbers and at most {MOST_POINTS} points",
            fix="correct it",
        )
    if flip is None or (flip and not _mirrors(flip, shape[0])):
        raise DataError(
            f"{file} has no sound flip_idx: {str(config['flip_idx'])[:60]}",
            allowed="for each point the number, from 0, of the one that takes its place in a mirror", fix="correct it",
        )  # fmt: skip
    return LinePoints(_figure(shape[0], flip), shape[1])


def _figure(count: int, flip: list[int]) -> Figure:
    """The names say who changes places; without `flip_idx` nobody does."""
    if flip == _flipped(pairs_of(PERSON.names), len(PERSON.names)):
        return PERSON
    names = [f"point_{i}" for i in range(count)]
    for i, twin in enumerate(flip):
        if i < twin:
            names[i], names[twin] = f"left_{i}", f"right_{i}"
    return Figure(tuple(names))


def _mirrors(flip: list[int], count: int) -> bool:
    return sorted(flip) == list(range(count)) and all(flip[twin] == i for i, twin in enumerate(flip))


def _flipped(pairs: Pairs, count: int) -> list[int]:
    twins = dict(pairs) | {right: left for left, right in pairs}
    return [twins.get(i, i) for i in range(count)]


def _integers(stated: Any) -> list[int] | None:
    plain = isinstance(stated, list) and all(isinstance(item, str) and item.isdecimal() for item in stated)
    return [int(item[:9]) for item in stated] if plain else None
