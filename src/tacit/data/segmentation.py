"""A COCO segmentation: polygons `[[x, y, x, y, ...], ...]`, of which each is a part, or a run-length encoded mask."""

from __future__ import annotations

from typing import Any

import numpy as np

from tacit.data import rle
from tacit.data.masks import Outline, Ring
from tacit.data.numbers import number
from tacit.errors import DataError

MOST_CORNERS = 50_000  # of one polygon; drawing takes memory by its corners


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
    points = np.array([number(value) for value in polygon]).reshape(-1, 2)
    if not np.isfinite(points).all():
        raise DataError("a polygon has a coordinate that is no finite number")
    inside: Ring = points.clip(0, (width, height))
    return inside
