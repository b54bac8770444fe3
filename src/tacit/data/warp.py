"""Geometric variation: one projective map of the whole picture, and which boxes survive it."""

from __future__ import annotations

import math
import threading
from dataclasses import dataclass

import cv2
import numpy as np
from jaxtyping import Bool, Float, Float32, Float64, UInt8

from tacit.data import follow
from tacit.data.augment import Augment
from tacit.data.label import Move
from tacit.data.sample import Scene
from tacit.geometry.letterbox import FILL

SMALLEST, SHARE, ELONGATION = 2.0, 0.1, 20.0  # a box must stay wider than pixels, larger than a share, no sliver
TINY = 1e-16


class _Room(threading.local):
    """Where a thread lays out its canvases: new memory for each, 6.5 MB at 640 px, costs more than the warp itself."""

    padded: np.ndarray | None = None


_room = _Room()


@dataclass(frozen=True)
class Warp:
    """One drawn map. In this order: the centre to the origin, perspective, turn and zoom, shear, then the shift.

    Angles are degrees, `perspective` is per pixel, `shift` is where the centre lands, in parts of the output's sides.
    """

    perspective: tuple[float, float] = (0.0, 0.0)
    degrees: float = 0.0
    zoom: float = 1.0
    shear: tuple[float, float] = (0.0, 0.0)
    shift: tuple[float, float] = (0.5, 0.5)

    def matrix(self, source: tuple[int, int], target: tuple[int, int]) -> Float64[np.ndarray, "3 3"]:
        """From pixels of a picture of `source` (height, width) to pixels of one of `target`."""
        centre, project, shear, shift = np.eye(3), np.eye(3), np.eye(3), np.eye(3)
        centre[:2, 2] = -source[1] / 2, -source[0] / 2
        project[2, :2] = self.perspective
        angle = math.radians(self.degrees)
        cosine, sine = self.zoom * math.cos(angle), self.zoom * math.sin(angle)
        turn = np.array([[cosine, sine, 0], [-sine, cosine, 0], [0, 0, 1]])
        shear[0, 1], shear[1, 0] = (math.tan(math.radians(degrees)) for degrees in self.shear)
        shift[:2, 2] = self.shift[0] * target[1], self.shift[1] * target[0]
        matrix: np.ndarray = shift @ shear @ turn @ project @ centre
        return matrix


def draw(augment: Augment, rng: np.random.Generator) -> Warp:
    """Every number uniform around "unchanged", within the limits of `augment`."""

    def around(middle: float, limit: float) -> float:
        return float(rng.uniform(middle - limit, middle + limit))

    return Warp(
        perspective=(around(0.0, augment.perspective), around(0.0, augment.perspective)),
        degrees=around(0.0, augment.degrees),
        zoom=around(1.0, augment.scale),
        shear=(around(0.0, augment.shear), around(0.0, augment.shear)),
        shift=(around(0.5, augment.translate), around(0.5, augment.translate)),
    )


def apply(scene: Scene, drawn: Warp, height: int, width: int) -> Scene:
    """The scene mapped into a picture of `height` x `width`, without the boxes that the map has spoiled.

    Equal to the reference's random_perspective at the same draws (fixtures ops/augment rp*, to the bit).
    """
    matrix = drawn.matrix(scene.image.shape[:2], (height, width))
    image = _warp_image(scene.image, matrix, height, width)
    boxes = _warp_boxes(scene.boxes, matrix, height, width)
    keep = survives(scene.boxes * drawn.zoom, boxes)
    source = scene.image.shape[0], scene.image.shape[1]
    labels = follow.kept(follow.moved(scene.labels, Move(matrix, source, (height, width))), keep.nonzero()[0])
    return Scene(image, boxes[keep], scene.classes[keep], labels, scene.boxed)


def survives(before: Float[np.ndarray, "n 4"], after: Float[np.ndarray, "n 4"]) -> Bool[np.ndarray, " n"]:
    """Which boxes are still worth learning from; `before` is at the scale of `after`, so areas compare.

    Source: fixtures ops/box_candidates.
    """
    width_before, height_before = (before[:, 2:] - before[:, :2]).T
    width, height = (after[:, 2:] - after[:, :2]).T
    share = width * height / (width_before * height_before + TINY)
    ratio = np.maximum(width / (height + TINY), height / (width + TINY))
    kept: np.ndarray = (width > SMALLEST) & (height > SMALLEST) & (share > SHARE) & (ratio < ELONGATION)
    return kept


def _warp_image(
    image: UInt8[np.ndarray, "h w 3"], matrix: Float64[np.ndarray, "3 3"], height: int, width: int
) -> UInt8[np.ndarray, "h2 w2 3"]:
    if image.shape[:2] == (height, width) and np.array_equal(matrix, np.eye(3)):
        return image
    # with a fourth byte a pixel is one word: OpenCV's warps give the same bytes in less than half of the time
    padded = _room.padded = cv2.cvtColor(image, cv2.COLOR_RGB2RGBA, dst=_room.padded)
    fill = (FILL, FILL, FILL, 0)
    if matrix[2, 0] or matrix[2, 1]:
        warped = cv2.warpPerspective(padded, matrix, (width, height), borderValue=fill)
    else:
        warped = cv2.warpAffine(padded, matrix[:2], (width, height), borderValue=fill)
    return cv2.cvtColor(warped, cv2.COLOR_RGBA2RGB).astype(np.uint8, copy=False)


def _warp_boxes(
    boxes: Float32[np.ndarray, "n 4"], matrix: Float64[np.ndarray, "3 3"], height: int, width: int
) -> Float32[np.ndarray, "n 4"]:
    """The upright boxes around the mapped corners, cut to the picture. A corner behind the eye empties its box."""
    corners = boxes[:, [0, 1, 2, 1, 2, 3, 0, 3]].reshape(-1, 4, 2)
    mapped = corners @ matrix[:, :2].T + matrix[:, 2]  # (n, 4, 3), homogeneous
    depth = mapped[..., 2:]
    seen = (depth > 0).all(axis=1)  # (n, 1)
    points = mapped[..., :2] / np.where(depth > 0, depth, 1)
    around: np.ndarray = np.concatenate([points.min(axis=1), points.max(axis=1)], axis=1) * seen
    return around.clip(0, [width, height] * 2).astype(np.float32)
