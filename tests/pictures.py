"""A picture with known objects on it, and the samples."""

from pathlib import Path

import cv2
import numpy as np

SAMPLES = Path(__file__).parents[1] / "src/tacit/samples"


def draw_scene(seed, height=96, width=128, objects=3):
    """A noisy RGB picture with bright squares (class 0) and discs (class 1) on it: image, boxes xyxy, classes."""
    random = np.random.default_rng(seed)
    image = random.integers(0, 60, (height, width, 3)).astype(np.uint8)
    boxes, classes = np.zeros((objects, 4), np.float32), random.integers(0, 2, objects)
    for i in range(objects):
        side = int(random.integers(12, min(height, width) // 2))
        x, y = int(random.integers(0, width - side)), int(random.integers(0, height - side))
        colour = [int(value) for value in random.integers(150, 255, 3)]
        if classes[i] == 0:
            cv2.rectangle(image, (x, y), (x + side - 1, y + side - 1), colour, -1)
        else:
            cv2.circle(image, (x + side // 2, y + side // 2), side // 2, colour, -1)
        boxes[i] = x, y, x + side, y + side
    return image, boxes, classes.astype(np.int64)
