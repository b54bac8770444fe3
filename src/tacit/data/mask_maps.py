"""A map drawn from the masks of single objects, where all objects of some classes have one."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Int64

from tacit.data.maps import UNKNOWN, MapSource, Meaning, Pixels
from tacit.data.masks import MaskLabels
from tacit.data.sample import Sample
from tacit.data.segments import VOID, Segment, Segments, painted

_GROUND = 1  # the segment of what is none of the classes


@dataclass(frozen=True, eq=False)
class MaskMap(MapSource):
    """Each pixel has the class of the smallest object that covers it; the others are none of the complete classes.

    Nothing is known inside a crowd of a complete class, and inside the box of an object of it that has no mask, where
    no single object lies on top. Masks of other classes are left out: objects without a mask may hide them.
    """

    sample: Sample
    masks: MaskLabels
    classes: tuple[str, ...]

    @property
    def complete(self) -> frozenset[int]:
        """The classes of which every object is masked."""
        return frozenset(range(len(self.classes))) if self.masks.complete is None else self.masks.complete

    @property
    def meanings(self) -> tuple[Meaning, ...]:
        return (*self.classes, frozenset(self.classes[index] for index in self.complete))

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(self.classes[index] for index in sorted({*self._classes(self.masks.rows)} & self.complete))

    def pixels(self) -> Pixels:
        segments = self._drawn()
        meant = np.full(2 + len(self.sample.boxes), UNKNOWN, np.uint16)  # by the number of a segment
        meant[_GROUND] = len(self.classes)
        for segment in segments.segments:
            if segment.name is not None and not segment.crowd:
                meant[segment.id] = self.classes.index(segment.name)
        pixels: np.ndarray = meant[segments.ids]
        return pixels

    def segments(self) -> Segments | None:
        return self._drawn() if len(self.complete) == len(self.classes) else None

    def _drawn(self) -> Segments:
        """Objects are numbered by their row, from 2."""
        sample, (height, width) = self.sample, (self.sample.height, self.sample.width)
        masks = dict(zip(self.masks.rows.tolist(), self.masks.raster(height, width), strict=True))
        ids = np.full((height, width), _GROUND, np.int64)
        rows = [row for row, index in enumerate(sample.classes.tolist()) if index in self.complete]
        for row in rows:
            if row not in masks:
                ids[self._inside(row)] = VOID
        segments = [Segment(_GROUND, None, thing=False)]
        for crowd in (True, False):  # single objects lie on top of crowds
            some = [row for row in rows if row in masks and bool(sample.crowd[row]) is crowd]
            objects = [Segment(2 + row, self.classes[sample.classes[row]], crowd=crowd) for row in some]
            ids = painted([masks[row] for row in some], objects, ids)
            segments += objects
        there = np.bincount(ids.ravel(), minlength=2 + len(sample.boxes))
        return Segments(ids, tuple(segment for segment in segments if there[segment.id]))

    def _inside(self, row: int) -> Bool[np.ndarray, "h w"]:
        inside = np.zeros((self.sample.height, self.sample.width), np.bool_)
        x0, y0, x1, y1 = (int(value) for value in np.array(self.sample.boxes[row]).round())
        inside[y0:y1, x0:x1] = True
        return inside

    def _classes(self, rows: Int64[np.ndarray, " k"]) -> list[int]:
        single: list[int] = self.sample.classes[rows[~self.sample.crowd[rows]]].tolist()
        return single
