"""Masks as COCO writes them: lengths of runs of pixels, outside and inside by turns, down one column after another."""

from __future__ import annotations

from typing import TypedDict

import numpy as np
from faster_coco_eval.core import mask as coco_mask
from jaxtyping import Bool, Int64


class Runs(TypedDict):
    """COCO's compressed run lengths of a picture of `size` (height, width)."""

    size: list[int]
    counts: str


def run_lengths(
    crop: Bool[np.ndarray, "h w"], corner: tuple[int, int], shape: tuple[int, int]
) -> Int64[np.ndarray, " runs"]:
    """The runs of a picture of `shape` (height, width) that is empty outside of `crop`, whose corner lies at (x, y)."""
    (x, y), (tall, wide) = corner, shape
    height, width = crop.shape
    pixels = np.zeros(1 + width * (height + 1), bool)  # an empty one is before the crop and ends each of its columns
    pixels[1:].reshape(width, height + 1)[:, :height] = crop.T
    edges = np.flatnonzero(pixels[1:] != pixels[:-1])
    column, row = np.divmod(edges, height + 1)
    places, times = np.unique((x + column) * tall + y + row, return_counts=True)
    places = places[times == 1]  # where a run goes on from the foot of one column to the head of the next is no edge
    lengths: np.ndarray = np.diff(places, prepend=0, append=tall * wide)
    return lengths if lengths[-1] else lengths[:-1]


def runs_of(crop: Bool[np.ndarray, "h w"], corner: tuple[int, int], shape: tuple[int, int]) -> Runs:
    """The same, compressed."""
    return compressed({"size": list(shape), "counts": run_lengths(crop, corner, shape).tolist()}, shape)


def compressed(segmentation: object, shape: tuple[int, int]) -> Runs:
    """COCO's polygons or run lengths for a photograph of `shape` (height, width); polygons are drawn by its rule."""
    found = segmentation
    if isinstance(found, list):
        found = coco_mask.merge(coco_mask.frPyObjects(found, *shape))
    elif isinstance(found, dict) and isinstance(found["counts"], list):
        found = coco_mask.frPyObjects(found, *shape)
    assert isinstance(found, dict)
    counts = found["counts"]
    return {"size": list(shape), "counts": counts.decode("ascii") if isinstance(counts, bytes) else counts}
