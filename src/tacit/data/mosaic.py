"""Joining photographs on one canvas: where each of them lies.

`size` is the side of a training picture, and the long side of each photograph that arrives. The canvas is twice as wide
and high; the warp that follows shows a part of it. A layout knows how many photographs it takes and where each begins.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from tacit.data import follow
from tacit.data.label import Move
from tacit.data.sample import Labels, Scene
from tacit.geometry.letterbox import FILL

Shape = tuple[int, int]  # height, width
Corner = tuple[int, int]  # x, y of a photograph's upper left pixel, which may lie outside the canvas


@dataclass(frozen=True)
class Four:
    """Four photographs that meet in one point, `meeting` (x, y) in parts of `size`."""

    photos: ClassVar[int] = 4
    meeting: tuple[float, float]

    def corners(self, shapes: Sequence[Shape], size: int) -> list[Corner]:
        """Left above, right above, left below, right below the meeting point (fixtures ops/augment mosaic4_*)."""
        x, y = (int(part * size) for part in self.meeting)
        (h0, w0), (h1, _), (_, w2), _ = shapes
        return [(x - w0, y - h0), (x, y - h1), (x - w2, y), (x, y)]


@dataclass(frozen=True)
class Nine:
    """A photograph with eight around it; `window` (x, y), in parts of `size`, is the canvas's corner among them."""

    photos: ClassVar[int] = 9
    window: tuple[float, float]

    def corners(self, shapes: Sequence[Shape], size: int) -> list[Corner]:
        """From the middle up, then clockwise, each against its predecessor (fixtures ops/augment mosaic9_*)."""
        left, top = (size - int(part * size) for part in self.window)
        heights, widths = zip(*shapes, strict=True)
        right, bottom = left + widths[0], top + heights[0]
        return [
            (left, top),
            (left, top - heights[1]),
            (left + widths[1], top - heights[2]),
            (right, top),
            (right, top + heights[3]),
            (right - widths[5], bottom),
            (right - widths[5] - widths[6], bottom),
            (left - widths[7], bottom - heights[7]),
            (left - widths[8], bottom - heights[7] - heights[8]),
        ]


Layout = Four | Nine


def draw_four(rng: np.random.Generator) -> Four:
    """The meeting point anywhere in the middle half of the canvas."""
    x, y = rng.uniform(0.5, 1.5, 2)
    return Four((float(x), float(y)))


def draw_nine(rng: np.random.Generator) -> Nine:
    """The canvas anywhere within the three by three fields."""
    x, y = rng.uniform(0, 1, 2)
    return Nine((float(x), float(y)))


def apply(scenes: Sequence[Scene], layout: Layout, size: int) -> Scene:
    """The scenes on one canvas, their boxes cut to it. Later photographs cover earlier ones."""
    assert len(scenes) == layout.photos
    side = 2 * size
    canvas = np.full((side, side, 3), FILL, np.uint8)
    corners = layout.corners([(scene.image.shape[0], scene.image.shape[1]) for scene in scenes], size)
    for scene, corner in zip(scenes, corners, strict=True):
        _paste(canvas, scene, corner)
    boxes = [scene.boxes + np.array(corner * 2, np.float32) for scene, corner in zip(scenes, corners, strict=True)]
    classes = np.concatenate([scene.classes for scene in scenes])
    labels = [_labels(scene, corner, side) for scene, corner in zip(scenes, corners, strict=True)]
    boxed = all(scene.boxed for scene in scenes)
    return Scene(canvas, np.concatenate(boxes).clip(0, side), classes, follow.joined(scenes, labels), boxed)


def _labels(scene: Scene, corner: Corner, side: int) -> Labels:
    height, width = scene.image.shape[:2]
    return follow.moved(scene.labels, Move(follow.scaling(1, 1, *corner), (height, width), (side, side)))


def _paste(canvas: np.ndarray, scene: Scene, corner: Corner) -> None:
    """Copy what of the photograph falls on the canvas."""
    (x, y), (height, width), side = corner, scene.image.shape[:2], len(canvas)
    x0, y0, x1, y1 = max(x, 0), max(y, 0), min(x + width, side), min(y + height, side)
    if x0 < x1 and y0 < y1:
        canvas[y0:y1, x0:x1] = scene.image[y0 - y : y1 - y, x0 - x : x1 - x]
