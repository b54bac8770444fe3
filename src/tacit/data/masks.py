"""Masks of single objects, as outlines: they move exactly as the picture does, and are drawn at any size."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import islice, pairwise
from typing import Any, Self

import numpy as np
from jaxtyping import Bool, Float64, Int64

from tacit.data.label import Label, Move

Ring = Float64[np.ndarray, "_ 2"]
Part = tuple[Ring, ...]
"""Rings (x, y in pixels) filled by even-odd, so that a ring inside another is a hole."""
Outline = tuple[Part, ...]
"""The union of its parts."""

FAR = 1e6  # pixels; what a perspective throws further away is drawn from there


@dataclass(frozen=True, eq=False)
class MaskLabels(Label):
    """The masks of a picture's objects, in the order of its boxes.

    An outline is None where the object has no mask. Of the classes in `complete` (None: of all) every object in the
    picture has one, so that elsewhere there is none of them; where a class is not complete, no mask means nothing.
    `sources` are the source's own segmentations, for exact scoring: COCO polygons, or an RLE with "size" and "counts";
    they are gone once the picture has moved.
    """

    outlines: tuple[Outline | None, ...]
    complete: frozenset[int] | None
    sources: tuple[Any, ...] = ()

    @property
    def rows(self) -> Int64[np.ndarray, " k"]:
        """The objects that have a mask."""
        return np.array([row for row, outline in enumerate(self.outlines) if outline], np.int64)

    @property
    def counts(self) -> dict[str, int]:
        return {"masks": len(self.rows)}

    def raster(self, height: int, width: int, scale: float = 1.0) -> Bool[np.ndarray, "k {height} {width}"]:
        """The masks of `rows` on a grid of that size, `scale` times as fine as the picture's own pixels.

        A pixel belongs to a mask if its centre does, as an outline says it to the last bit (no edge is widened).
        """
        masks = np.zeros((len(self.rows), height, width), np.bool_)
        for mask, row in zip(masks, self.rows.tolist(), strict=True):
            for part in self.outlines[row] or ():
                _fill(mask, part, scale)
        return masks

    def kept(self, rows: Int64[np.ndarray, " k"]) -> Self:
        outlines = tuple(self.outlines[row] for row in rows.tolist())
        return replace(self, outlines=outlines, sources=tuple(self.sources[row] for row in rows if self.sources))

    def renamed(self, ids: Int64[np.ndarray, " classes"]) -> Self:
        """All classes that there were need not be all that there are."""
        complete = range(len(ids)) if self.complete is None else self.complete
        return replace(self, complete=frozenset(int(ids[index]) for index in complete))

    def moved(self, move: Move) -> Self:
        """All points at once: there are hundreds of outlines of a few points each."""
        rings = [ring for outline in self.outlines for part in outline or () for ring in part]
        points = move.points(np.concatenate([np.empty((0, 2)), *rings]))
        ends = np.cumsum([len(ring) for ring in rings]).tolist()
        finite = np.isfinite(points).all(axis=1)
        moved = iter([points[start:end][finite[start:end]] for start, end in pairwise([0, *ends])])
        return replace(self, outlines=tuple(_moved(outline, moved) for outline in self.outlines), sources=())

    @classmethod
    def joined(cls, parts: Sequence[Self | None], boxes: Sequence[int]) -> Self:
        """Complete is what every part is; one without masks is complete in nothing, even where it has no boxes."""
        outlines = list[Outline | None]()
        complete: frozenset[int] | None = None
        for part, count in zip(parts, boxes, strict=True):
            outlines += (None,) * count if part is None else part.outlines
            complete = _both(complete, frozenset() if part is None else part.complete)
        return cls(tuple(outlines), complete)


def lacking(complete: frozenset[int] | None, missing: frozenset[int], classes: int) -> frozenset[int] | None:
    """What is complete still, of so many classes, if objects of the `missing` ones have no mask."""
    if not missing:
        return complete
    return (frozenset(range(classes)) if complete is None else complete) - missing


def _both(first: frozenset[int] | None, second: frozenset[int] | None) -> frozenset[int] | None:
    """What is in both; None is everything."""
    if first is None or second is None:
        return second if first is None else first
    return first & second


def _moved(outline: Outline | None, rings: Iterator[Ring]) -> Outline | None:
    """The outline of the next of the moved rings; None is left of an object of which a perspective shows nothing."""
    moved = (tuple(ring for ring in islice(rings, len(part)) if len(ring)) for part in outline or ())
    return tuple(part for part in moved if part) or None


def _fill(mask: Bool[np.ndarray, "h w"], part: Part, scale: float) -> None:
    """Draws a part: along a row of pixel centres each edge that is crossed changes inside to outside, or back."""
    height, width = mask.shape
    x0, y0 = np.concatenate(part).T.clip(-FAR, FAR) * scale
    x1, y1 = np.concatenate([np.roll(ring, -1, axis=0) for ring in part]).T.clip(-FAR, FAR) * scale
    first = np.ceil(np.minimum(y0, y1) - 0.5).clip(0, height).astype(np.int64)  # row of the first centre that is met
    count = np.ceil(np.maximum(y0, y1) - 0.5).clip(0, height).astype(np.int64) - first
    edge = np.repeat(np.arange(len(count)), count)  # one entry for each edge on each row that it crosses
    if not len(edge):
        return
    row = np.arange(len(edge)) - np.repeat(np.cumsum(count) - count - first, count)
    share = (row + 0.5 - y0[edge]) / (y1 - y0)[edge]
    column = np.ceil(x0[edge] + share * (x1 - x0)[edge] - 0.5).clip(0, width).astype(np.int64)
    top, left, bottom, right = row.min(), column.min(), row.max() + 1, column.max() + 1
    crossed = np.zeros((bottom - top, right - left), np.bool_)
    np.logical_xor.at(crossed, (row - top, column - left), True)
    inside = np.logical_xor.accumulate(crossed, axis=1)
    mask[top:bottom, left:right] |= inside[:, : width - left]
