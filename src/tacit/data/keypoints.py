"""Keypoints of single objects: where the joints of a person are, or the corners of anything."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Self

import numpy as np
from jaxtyping import Bool, Float32, Int64

from tacit.data.label import Label, Move

Pairs = tuple[tuple[int, int], ...]
UNLABELLED, HIDDEN, SEEN = 0, 1, 2
"""What `visible` says of a point, as COCO numbers it."""


@dataclass(frozen=True, eq=False)
class KeypointLabels(Label):
    """The keypoints of a picture's objects, in the order of its boxes.

    `points` are x, y in pixels, (0, 0) where `visible` is 0; `known` tells of which objects the keypoints were labelled
    at all: an object may be known without any point that could be. `skeleton` joins points by their numbers from 0.
    """

    points: Float32[np.ndarray, "n k 2"]
    visible: Int64[np.ndarray, "n k"]
    known: Bool[np.ndarray, " n"]
    names: tuple[str, ...]
    skeleton: Pairs

    @property
    def pairs(self) -> Pairs:
        """The points that change their names in a mirror, by number: left_eye and right_eye."""
        return pairs_of(self.names)

    @cached_property
    def counted(self) -> Int64[np.ndarray, " n"]:
        """Labelled points by object: what COCO calls num_keypoints."""
        count: np.ndarray = (self.visible > UNLABELLED).sum(axis=1)
        return count

    @property
    def counts(self) -> dict[str, int]:
        return {"objects with keypoints": int((self.known & (self.counted > 0)).sum())}

    def kept(self, rows: Int64[np.ndarray, " k"]) -> Self:
        return replace(self, points=self.points[rows], visible=self.visible[rows], known=self.known[rows])

    def moved(self, move: Move) -> Self:
        """A point that leaves the picture is not labelled any more; in a mirror left and right change places."""
        points = move.points(self.points.reshape(-1, 2)).reshape(self.points.shape)
        inside = ((points >= 0) & (points <= (move.target[1], move.target[0]))).all(axis=2)  # no to what is not finite
        visible = np.where(inside, self.visible, UNLABELLED)
        points = np.where(visible[..., None] > UNLABELLED, points, 0).astype(np.float32)
        order = _mirrored(len(self.names), self.pairs) if move.mirrors else slice(None)
        return replace(self, points=points[:, order], visible=visible[:, order])

    @classmethod
    def joined(cls, parts: Sequence[Self | None], boxes: Sequence[int]) -> Self:
        """The first label says which points there are; of parts with other points nothing is known."""
        first = next(part for part in parts if part is not None)
        alike = [
            part if part is not None and part.names == first.names else first.unknown(count)
            for part, count in zip(parts, boxes, strict=True)
        ]
        return replace(
            first,
            points=np.concatenate([part.points for part in alike]),
            visible=np.concatenate([part.visible for part in alike]),
            known=np.concatenate([part.known for part in alike]),
        )

    def unknown(self, count: int) -> Self:
        """As many objects, with these points, of which none is known."""
        shape = (count, len(self.names))
        points, visible = np.zeros((*shape, 2), np.float32), np.zeros(shape, np.int64)
        return replace(self, points=points, visible=visible, known=np.zeros(count, np.bool_))


def pairs_of(names: Sequence[str]) -> Pairs:
    """The numbers of the points that are called left_x and right_x."""
    numbers = {name: number for number, name in enumerate(names)}
    twins = ((number, numbers.get(f"right{name.removeprefix('left')}")) for name, number in numbers.items()
             if name.startswith("left"))  # fmt: skip
    return tuple((number, twin) for number, twin in twins if twin is not None)


def _mirrored(count: int, pairs: Pairs) -> Int64[np.ndarray, " k"]:
    """Which point takes the place of each."""
    order = np.arange(count)
    for left, right in pairs:
        order[[left, right]] = right, left
    return order
