"""Run-length encoded masks of COCO: decoded here, since their counts come from files that cannot be trusted.

Counts are the lengths of the runs of 0 and 1 in turn, column by column, in a list or in a string of COCO's own: five
bits a letter, the lowest first, a sixth says that more follow; from the fourth count on the difference to the last but
one (the format of pycocotools' `encode`).
"""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
from jaxtyping import Bool, Int64

from tacit.data.masks import Outline
from tacit.errors import DataError

_FIRST, _BITS, _MORE, _SIGN = 48, 5, 32, 16
_LONGEST = 7  # letters of one count: as many pixels as 35 bits can tell
_TWO = np.ones((2, 2), np.uint8)


def decoded(rle: dict[str, Any], width: int, height: int) -> Bool[np.ndarray, "{height} {width}"]:
    """The mask. Raises DataError for an RLE of another size, before anything is allocated, and for unsound counts."""
    if rle.get("size") != [height, width]:
        raise DataError(f"the RLE is for {_by(rle.get('size'))}, not for {width} x {height}")
    counts = _counts(rle.get("counts"))
    if (counts < 0).any() or (counts > width * height).any() or counts.sum() != width * height:
        raise DataError("the counts of the RLE do not add up to the picture")
    runs = np.arange(len(counts)) % 2 == 1
    return np.repeat(runs, counts).reshape(width, height).T


def outline_of(mask: Bool[np.ndarray, "h w"]) -> Outline:
    """The outline along the edges of the mask's pixels, as one part; () where there is none.

    OpenCV's contours run through the centres of border pixels, half a pixel inside. On a grid twice as fine and grown
    by one pixel to the right and down, the first and the last pixel of a run stand for its edges, at half their number.
    """
    left, top, width, height = cv2.boundingRect(mask.astype(np.uint8))
    inner = mask[top : top + height, left : left + width].astype(np.uint8)
    fine = np.pad(inner.repeat(2, axis=0).repeat(2, axis=1), ((0, 1), (0, 1)))
    contours, _ = cv2.findContours(cv2.dilate(fine, _TWO, anchor=(1, 1)), cv2.RETR_LIST, cv2.CHAIN_APPROX_SIMPLE)
    rings = tuple(contour.reshape(-1, 2) / 2 + (left, top) for contour in contours)
    return (rings,) if rings else ()


def _counts(stated: Any) -> Int64[np.ndarray, " n"]:
    if isinstance(stated, list) and all(isinstance(count, int) and 0 <= count < 1 << 35 for count in stated):
        return np.array(stated, np.int64)
    letters = stated.encode("utf-8", "replace") if isinstance(stated, str) else b""
    codes: np.ndarray = np.frombuffer(letters, np.uint8).astype(np.int64) - _FIRST
    if not len(codes) or codes.min() < 0 or codes.max() > 2 * _MORE - 1 or codes[-1] & _MORE:
        raise DataError("the counts of the RLE are neither numbers nor COCO's letters")
    starts = np.flatnonzero(np.concatenate([[True], codes[:-1] & _MORE == 0]))
    lengths = np.diff(starts, append=len(codes))
    if lengths.max() > _LONGEST:
        raise DataError("the counts of the RLE do not add up to the picture")
    shifts = _BITS * (np.arange(len(codes)) - np.repeat(starts, lengths))
    values = np.add.reduceat((codes & (_MORE - 1)) << shifts, starts)
    negative = codes[starts + lengths - 1] & _SIGN != 0
    values -= negative * (1 << _BITS * lengths)
    values[1::2], values[2::2] = np.cumsum(values[1::2]), np.cumsum(values[2::2])
    return values


def _by(size: Any) -> str:
    """(height, width) as COCO states it, for people."""
    return f"{size[1]} x {size[0]}" if isinstance(size, list) and len(size) == 2 else "no size"
