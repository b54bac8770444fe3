"""Masks from prototypes: mixed and cut out by their boxes, then enlarged to the photograph's resolution."""

from __future__ import annotations

import cv2
import numpy as np
from jaxtyping import Bool, Float32, Int64

from tacit.geometry.letterbox import Letterbox
from tacit.tasks.segment.answer import Masks

SAMPLING = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP


def pasted(
    prototypes: Float32[np.ndarray, "k h w"],
    coefficients: Float32[np.ndarray, "n k"],
    boxes: Float32[np.ndarray, "n 4"],
    letterbox: Letterbox,
) -> Masks:
    """The masks inside `boxes`, xyxy in pixels of the photograph and clipped to it.

    Only the part of the prototypes that a box covers is mixed for it. The logits are interpolated, not the
    probabilities: where they cross 0 is the edge. A pixel belongs to a box if its centre does, and a box has one pixel
    at least.
    """
    windows = _windows(boxes, letterbox.source)
    last = np.ascontiguousarray(prototypes.transpose(1, 2, 0))  # h, w, k
    step = np.array([letterbox.target[1] / last.shape[1], letterbox.target[0] / last.shape[0]])
    scale, shift = np.array(letterbox.ratio) / step, np.array(letterbox.pad) / step
    crops = [_crop(last, row, window, scale, shift) for row, window in zip(coefficients, windows, strict=True)]
    return Masks(letterbox.source, crops, windows[:, :2])


def _windows(boxes: Float32[np.ndarray, "n 4"], shape: tuple[int, int]) -> Int64[np.ndarray, "n 4"]:
    """Whole pixels x0, y0, x1, y1 of a photograph of `shape`."""
    side = np.array([shape[1], shape[0]])
    low = np.clip(np.ceil(boxes[:, :2] - 0.5), 0, side - 1)
    high = np.clip(np.ceil(boxes[:, 2:] - 0.5), low + 1, side)
    return np.concatenate([low, high], axis=1).astype(np.int64)


def _crop(
    prototypes: Float32[np.ndarray, "h w k"],
    coefficients: Float32[np.ndarray, " k"],
    window: Int64[np.ndarray, "4"],
    scale: np.ndarray,
    shift: np.ndarray,
) -> Bool[np.ndarray, "_ _"]:
    """One mask; `scale` and `shift` (x, y) take points of the photograph to points of the prototypes."""
    first = (window[:2] + 0.5) * scale + shift - 0.5  # the centre of the window's first pixel, in whole-pixel indices
    final = (window[2:] - 0.5) * scale + shift - 0.5
    side = np.array([prototypes.shape[1], prototypes.shape[0]])
    x0, y0 = np.clip(np.floor(first), 0, side - 1).astype(int).tolist()
    x1, y1 = np.clip(np.floor(final) + 2, [x0 + 1, y0 + 1], side).astype(int).tolist()
    logits = prototypes[y0:y1, x0:x1] @ coefficients
    matrix = np.array([[scale[0], 0, first[0] - x0], [0, scale[1], first[1] - y0]])
    width, height = (window[2:] - window[:2]).tolist()
    enlarged = cv2.warpAffine(logits, matrix, (width, height), flags=SAMPLING, borderMode=cv2.BORDER_REPLICATE)
    mask: np.ndarray = enlarged > 0
    return mask
