"""Mirroring a scene, and blending two of them."""

from __future__ import annotations

from dataclasses import dataclass, replace

import cv2
import numpy as np
from jaxtyping import Float32

from tacit.data import follow
from tacit.data.augment import Augment
from tacit.data.label import Move
from tacit.data.sample import Scene

BETA = 8.0  # of the Beta distribution of a blend's share: narrow around one half


@dataclass(frozen=True)
class Flips:
    """Which way a scene is mirrored."""

    left_right: bool = False
    up_down: bool = False


def draw_flips(augment: Augment, rng: np.random.Generator) -> Flips:
    """Each flip by its own probability."""
    left_right, up_down = rng.uniform(0, 1, 2) < (augment.flip_left_right, augment.flip_up_down)
    return Flips(bool(left_right), bool(up_down))


def flip(scene: Scene, drawn: Flips) -> Scene:
    """The mirrored scene. Twice the same flip is no flip."""
    if not (drawn.left_right or drawn.up_down):
        return scene
    boxes, (height, width) = scene.boxes, scene.image.shape[:2]
    if drawn.left_right:
        boxes = _mirrored(boxes, 0, width)
    if drawn.up_down:
        boxes = _mirrored(boxes, 1, height)
    axes = -1 if drawn.left_right and drawn.up_down else int(drawn.left_right)  # OpenCV: 1 is left-right, 0 up-down
    image = cv2.flip(scene.image, axes).astype(np.uint8, copy=False)
    x, y = -1 if drawn.left_right else 1, -1 if drawn.up_down else 1
    turn = follow.scaling(x, y, width * drawn.left_right, height * drawn.up_down)
    labels = follow.moved(scene.labels, Move(turn, (height, width), (height, width)))
    return replace(scene, image=image, boxes=boxes, labels=labels)


def _mirrored(boxes: Float32[np.ndarray, "n 4"], axis: int, side: int) -> Float32[np.ndarray, "n 4"]:
    """Boxes with their edges on one axis counted from the other end: the far edge becomes the near one."""
    mirrored = boxes.copy()
    mirrored[:, axis], mirrored[:, axis + 2] = side - boxes[:, axis + 2], side - boxes[:, axis]
    return mirrored


def draw_share(rng: np.random.Generator) -> float:
    """The first scene's share of a blend."""
    return float(rng.beta(BETA, BETA))


def mixup(first: Scene, second: Scene, share: float) -> Scene:
    """Both scenes seen through each other, with the boxes of both. Source: mixup, arXiv 1710.09412, on boxes."""
    image = cv2.addWeighted(first.image, share, second.image, 1 - share, 0).astype(np.uint8, copy=False)
    boxes = np.concatenate([first.boxes, second.boxes])
    classes = np.concatenate([first.classes, second.classes])
    labels = follow.joined([first, second], [first.labels, second.labels])
    return Scene(image, boxes, classes, labels, first.boxed and second.boxed)
