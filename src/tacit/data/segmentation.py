"""A COCO segmentation: polygons `[[x, y, x, y, ...], ...]`, of which each is a part, or a run-length encoded mask."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from tacit.data import rle
from tacit.data.intake import BoxLabel
from tacit.data.masks import MaskLabels, Outline, Ring, lacking
from tacit.data.numbers import numbers
from tacit.errors import DataError

MOST_CORNERS = 50_000  # of one polygon; drawing takes memory by its corners


def mask_labels(
    sources: Sequence[Any],
    boxes: Sequence[BoxLabel],
    complete: frozenset[int] | None,
    classes: int,
    size: tuple[int, int],
    note: Callable[[int, str], None],
) -> MaskLabels:
    """The masks of the objects of a picture of `size` (width, height), None where one has no segmentation.

    `complete` are those of the `classes` that are said to be (None: all); one with an object without a mask is not.
    What is unsound is left out, and `note` is told of which object it was, and why.
    """
    outlines = list[Outline | None]()
    for i, source in enumerate(sources):
        try:
            outlines.append(outline(source, *size) if source else None)
        except DataError as error:
            outlines.append(None)
            note(i, f"{error.wrong}, mask left out")
    without = frozenset(box.class_index for box, found in zip(boxes, outlines, strict=True) if not found)
    kept = tuple(source if found else None for source, found in zip(sources, outlines, strict=True))
    return MaskLabels(tuple(outlines), lacking(complete, without, classes), kept)


def outline(segmentation: Any, width: int, height: int) -> Outline:
    """The outline in a picture of `width` x `height`, cut to it. Raises DataError for one that is unsound."""
    if isinstance(segmentation, dict):
        found = rle.outline_of(rle.decoded(segmentation, width, height))
    elif isinstance(segmentation, list):
        found = tuple((ring(polygon, width, height),) for polygon in segmentation)
    else:
        raise DataError("the segmentation is neither polygons nor an RLE")
    if not found:
        raise DataError("the segmentation holds no pixel")
    return found


def ring(polygon: Any, width: int, height: int) -> Ring:
    """One polygon `[x, y, x, y, ...]`, cut to the picture. Raises DataError."""
    if not isinstance(polygon, list) or len(polygon) % 2 or not 6 <= len(polygon) <= 2 * MOST_CORNERS:
        corners = len(polygon) / 2 if isinstance(polygon, list) else 0
        raise DataError(f"a polygon has {corners:g} points")
    points = numbers(polygon).reshape(-1, 2)
    if not np.isfinite(points).all():
        raise DataError("a polygon has a coordinate that is no finite number")
    inside: Ring = points.clip(0, (width, height))
    return inside
