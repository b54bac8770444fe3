"""One line of a YOLO label file: a box, a box with a score, a polygon, or a box with keypoints behind it."""

from __future__ import annotations

import math
from collections.abc import Collection
from dataclasses import dataclass

from tacit.data.yolo_points import LinePoints
from tacit.errors import DataError

Corners = tuple[float, float, float, float]


@dataclass(frozen=True)
class Line:
    """What a line states, in parts of the photograph's sides; `box` is xyxy, of a polygon the one around it."""

    number: int  # of the class
    box: Corners
    score: float = 1.0
    polygon: tuple[float, ...] = ()  # x, y, x, y, ...
    keypoints: tuple[float, ...] = ()

    def scaled(self, width: int, height: int) -> Corners:
        """The box in pixels."""
        return self.box[0] * width, self.box[1] * height, self.box[2] * width, self.box[3] * height

    def scaled_polygon(self, width: int, height: int) -> list[float]:
        """The polygon in pixels."""
        return [value * (height if i % 2 else width) for i, value in enumerate(self.polygon)]


def parse(text: str, classes: Collection[int], points: LinePoints | None) -> Line:
    """What the line says. Raises DataError, whose `wrong` is a few words, where there is no box to be had from it."""
    first, *values = numbers(text) or [math.nan]
    count = len(values)
    if count < 4 or (count > 5 and not points and count % 2):
        raise DataError("is no label")
    if first not in classes:
        raise DataError(f"unknown class id {first:g}")
    number, with_points = int(first), points is not None and count > 5
    if not all(map(math.isfinite, values[:4] if with_points else values)):
        raise DataError("has a value that is no finite number")
    if with_points:
        return Line(number, _corners(values), keypoints=tuple(values[4:]))
    if count > 5:
        return Line(number, _bounds(values), polygon=tuple(values))
    return Line(number, _corners(values), score=values[4] if count == 5 else 1.0)


def numbers(text: str) -> list[float]:
    """The numbers of a line; none if it holds anything else."""
    try:
        return [float(token) for token in text.split()]
    except ValueError:
        return []


def _corners(values: list[float]) -> Corners:
    x, y, width, height = values[:4]
    return x - width / 2, y - height / 2, x + width / 2, y + height / 2


def _bounds(polygon: list[float]) -> Corners:
    return min(polygon[::2]), min(polygon[1::2]), max(polygon[::2]), max(polygon[1::2])
