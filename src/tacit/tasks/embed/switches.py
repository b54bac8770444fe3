"""Identity switches, by the CLEAR MOT definition (Bernardin and Stiefelhagen 2008, section 2.1).

A pairing of an object with a track that held in the frame before goes on as long as their boxes overlap enough. The
others are paired anew, at the greatest sum of overlaps. Whenever an object gets another track than the last it had,
however long ago that was, its identity switched.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float32, Int64

from tacit.tasks.detect.matching import overlaps
from tacit.tasks.embed.pairing import best_pairs

OVERLAP = 0.5


@dataclass(frozen=True, eq=False)
class Frame:
    """The labelled objects and the tracks of one frame: their boxes (xyxy) and numbers, none twice."""

    boxes: Float32[np.ndarray, "n 4"]
    objects: Int64[np.ndarray, " n"]
    track_boxes: Float32[np.ndarray, "m 4"]
    tracks: Int64[np.ndarray, " m"]


def identity_switches(frames: Iterable[Frame]) -> int:
    """Over a film, its frames in order."""
    last: dict[int, int] = {}  # track of each object, the last that it had
    before: dict[int, int] = {}  # of the frame before alone
    switches = 0
    for frame in frames:
        rows, columns = _paired(frame, before)
        before = dict(zip(frame.objects[rows].tolist(), frame.tracks[columns].tolist(), strict=True))
        switches += sum(last.get(one, track) != track for one, track in before.items())
        last |= before
    return switches


def _paired(frame: Frame, before: dict[int, int]) -> tuple[Int64[np.ndarray, " k"], Int64[np.ndarray, " k"]]:
    """Rows of objects and tracks."""
    overlap = overlaps(frame.boxes, frame.track_boxes)
    allowed = overlap >= OVERLAP
    goes_on = allowed & _held(frame, before)
    rows, columns = goes_on.nonzero()
    allowed[rows] = False
    allowed[:, columns] = False
    new_rows, new_columns = best_pairs(overlap, allowed)
    return np.concatenate([rows, new_rows]), np.concatenate([columns, new_columns])


def _held(frame: Frame, before: dict[int, int]) -> Bool[np.ndarray, "n m"]:
    wanted = np.array([before.get(one, -1) for one in frame.objects.tolist()], np.int64)
    held: np.ndarray = wanted[:, None] == frame.tracks
    return held
