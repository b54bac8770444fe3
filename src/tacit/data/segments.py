"""A photograph cut into segments, each a thing of its own or the whole of some stuff, as panopticapi keeps them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Bool, Int64, UInt8

VOID = 0  # the number of what nobody labelled


@dataclass(frozen=True)
class Segment:
    """One segment; `id` is its number in the map. Without a name it is known to be nothing of the classes."""

    id: int
    name: str | None
    thing: bool = True
    crowd: bool = False
    score: float | None = None


@dataclass(frozen=True, eq=False)
class Segments:
    """`ids` holds for every pixel the number of its segment, 0 (void) where there is none."""

    ids: Int64[np.ndarray, "h w"]
    segments: tuple[Segment, ...]

    def to_rgb(self) -> UInt8[np.ndarray, "h w 3"]:
        """The picture that panopticapi keeps: id = R + 256 G + 65536 B."""
        return np.stack([self.ids >> shift & 255 for shift in (0, 8, 16)], axis=2).astype(np.uint8)

    def to_json(self) -> list[dict[str, Any]]:
        """The `segments_info` of panopticapi, with names for the numbers of categories."""
        area = dict(zip(*(side.tolist() for side in np.unique(self.ids, return_counts=True)), strict=True))
        return [
            {"id": one.id, "category": one.name, "isthing": int(one.thing), "area": area.get(one.id, 0)}
            for one in self.segments
        ]


def ids_of(rgb: UInt8[np.ndarray, "h w 3"]) -> Int64[np.ndarray, "h w"]:
    """The numbers in a picture as panopticapi keeps it."""
    red, green, blue = rgb.astype(np.int64).transpose(2, 0, 1)
    ids: np.ndarray = red + (green << 8) + (blue << 16)
    return ids


def painted(
    masks: Sequence[Bool[np.ndarray, "h w"]], segments: Sequence[Segment], ground: Int64[np.ndarray, "h w"]
) -> Int64[np.ndarray, "h w"]:
    """The ids of masks laid on `ground` (which is left as it is), the largest first: a pixel is of the smallest."""
    ids = ground.copy()
    sizes = [int(mask.sum()) for mask in masks]
    for i in sorted(range(len(masks)), key=lambda i: -sizes[i]):
        ids[masks[i]] = segments[i].id
    return ids
