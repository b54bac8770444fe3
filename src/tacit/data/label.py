"""What a photograph is known to show beside its boxes, and what becomes of that when the photograph is changed.

An augmentation reaches a task only if that task's answer stays true. Each kind of label (masks, keypoints, captions,
...) is one subclass and says so itself: moved, cut, joined or mirrored it is a label again, or None, no longer true,
and then the picture does not teach what it can no longer tell.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Self

import numpy as np
from jaxtyping import Float, Float64, Int64

Shape = tuple[int, int]  # height, width


@dataclass(frozen=True, eq=False)
class Move:
    """A picture of `source` (height, width) mapped into one of `target` by the projective `matrix`, in pixels."""

    matrix: Float64[np.ndarray, "3 3"]
    source: Shape
    target: Shape

    @property
    def mirrors(self) -> bool:
        """Whether left and right change places (or top and bottom, but not both)."""
        return bool(np.linalg.det(self.matrix[:2, :2]) < 0)

    @cached_property
    def seen(self) -> float:
        """The part of the source's area that lies in the target, exact for maps that keep parallels parallel."""
        height, width = self.source
        corners = self.points(np.array([[0.0, 0.0], [width, 0.0], [width, height], [0.0, height]]))
        area = abs(_area(corners))
        return abs(_area(_cut(corners, self.target))) / area if area else 0.0

    def points(self, xy: Float[np.ndarray, "n 2"]) -> Float64[np.ndarray, "n 2"]:
        """Points (x, y) of the source in pixels of the target; not finite where a perspective hides them."""
        mapped = np.asarray(xy, np.float64) @ self.matrix[:, :2].T + self.matrix[:, 2]  # (n, 3), homogeneous
        depth = np.where(mapped[:, 2:] > 0, mapped[:, 2:], np.nan)
        moved: np.ndarray = mapped[:, :2] / depth
        return moved


class Label(ABC):
    """One kind of label of one picture. Those of single objects hold one row for each of the picture's boxes."""

    @property
    def counts(self) -> dict[str, int]:
        """How many of what there are, for people. A kind that counts more than pictures says so itself."""
        return {f"photographs with {type(self).__name__.removesuffix('Labels').lower()} labels": 1}

    @abstractmethod
    def kept(self, rows: Int64[np.ndarray, " k"]) -> Self:
        """Only these boxes are left, in this order; what speaks of the whole picture stays as it is."""

    def renamed(self, ids: Int64[np.ndarray, " classes"]) -> Self:
        """Class i of the dataset is now called ids[i]; by default a label names no classes."""
        assert ids.ndim == 1
        return self

    @abstractmethod
    def moved(self, move: Move) -> Self | None:
        """The picture was mapped; None where the label is no longer true. Boxes and their rows are still all there."""

    @classmethod
    @abstractmethod
    def joined(cls, parts: Sequence[Self | None], boxes: Sequence[int]) -> Self | None:
        """Several pictures, already moved to their places, became one; part i had boxes[i] boxes and may have no label
        of this kind. Rows follow each other as the boxes do. At least one part is a label.
        """


def _area(points: Float64[np.ndarray, "n 2"]) -> float:
    """Signed (the shoelace formula)."""
    x, y = points.T
    return float(np.dot(x, np.roll(y, -1)) - np.dot(y, np.roll(x, -1))) / 2


def _cut(points: Float64[np.ndarray, "n 2"], shape: Shape) -> Float64[np.ndarray, "m 2"]:
    """A convex polygon without what lies outside a picture (Sutherland and Hodgman)."""
    for axis, limit, sign in ((0, 0.0, 1), (0, shape[1], -1), (1, 0.0, 1), (1, shape[0], -1)):
        inside = sign * (points[:, axis] - limit) >= 0
        kept = list[np.ndarray]()
        for i in range(len(points)):
            before, here = points[i - 1], points[i]
            if inside[i] != inside[i - 1]:
                share = (limit - before[axis]) / (here[axis] - before[axis])
                kept.append(before + share * (here - before))
            if inside[i]:
                kept.append(here)
        points = np.array(kept).reshape(-1, 2)
    return points
