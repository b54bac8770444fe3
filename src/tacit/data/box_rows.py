"""The boxes of several pictures as one table, as detection learns from them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float32

from tacit.data.sample import Scene


def box_rows(scenes: Sequence[Scene]) -> Float32[np.ndarray, "n 6"]:
    """Rows of (picture, class, x, y, w, h): the box's centre and sides in parts of the picture."""
    rows = [_rows(position, scene) for position, scene in enumerate(scenes)]
    return np.concatenate([np.empty((0, 6), np.float32), *rows])


def _rows(position: int, scene: Scene) -> Float32[np.ndarray, "n 6"]:
    height, width = scene.image.shape[:2]
    rows = np.empty((len(scene.boxes), 6), np.float32)
    rows[:, 0], rows[:, 1] = position, scene.classes
    rows[:, 2:4] = (scene.boxes[:, :2] + scene.boxes[:, 2:]) / (2 * width, 2 * height)
    rows[:, 4:6] = (scene.boxes[:, 2:] - scene.boxes[:, :2]) / (width, height)
    return rows
