"""What an EXIF orientation does to labels that were made for the file as it is stored."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float64

from tacit.data.label import Move

_AXES = {  # which stored x and y become the shown x (first row) and y; a negative one is counted from the far edge
    1: ((1, 0), (0, 1)),
    2: ((-1, 0), (0, 1)),
    3: ((-1, 0), (0, -1)),
    4: ((1, 0), (0, -1)),
    5: ((0, 1), (1, 0)),
    6: ((0, -1), (1, 0)),
    7: ((0, -1), (-1, 0)),
    8: ((0, 1), (-1, 0)),
}


def turn(orientation: int, width: int, height: int) -> Move:
    """From a stored picture of `width` x `height` to the picture as shown with EXIF `orientation`."""
    axes, sides = np.array(_AXES[orientation], np.float64), np.array([width, height])
    matrix = np.eye(3)
    matrix[:2, :2], matrix[:2, 2] = axes, -np.minimum(axes, 0) @ sides
    shown_width, shown_height = (np.abs(axes) @ sides).astype(int).tolist()
    return Move(matrix, (height, width), (shown_height, shown_width))


def turned(boxes: Float64[np.ndarray, "n 4"], move: Move) -> Float64[np.ndarray, "n 4"]:
    """Boxes (xyxy) after a move by right angles."""
    first, second = move.points(boxes[:, :2]), move.points(boxes[:, 2:])
    return np.concatenate([np.minimum(first, second), np.maximum(first, second)], axis=1)
