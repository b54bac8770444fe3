"""Small scenes that the tests of augmentation and loading share."""

from pathlib import Path

import cv2
import numpy as np
from hypothesis import strategies as st

from tacit.data.sample import Sample, Scene


def noise(height: int, width: int, seed: int = 0) -> np.ndarray:
    """A picture in which every pixel can be told from its neighbours."""
    return np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8)


def scene(height: int, width: int, boxes: list[list[float]]) -> Scene:
    """Noise with boxes of ascending class."""
    return Scene(noise(height, width), np.array(boxes, np.float32).reshape(-1, 4), np.arange(len(boxes)))


def photographs(folder: Path, count: int = 6) -> list[Sample]:
    """Photographs on disk, each of one colour with a lighter rectangle that is its only object, class = index."""
    samples = []
    for index in range(count):
        width, height = 64 + 16 * index, 96
        image = np.full((height, width, 3), 20 * index, np.uint8)
        image[16:80, 8:56] = 200
        path = folder / f"{index}.png"
        assert cv2.imwrite(str(path), image)
        box = np.array([[8, 16, 56, 80]], np.float32)
        samples.append(
            Sample(path, width, height, index, box, np.array([index]), np.array([False]), np.array([3072], np.float32))
        )
    return samples


@st.composite
def scenes(draw: st.DrawFn) -> Scene:
    """Scenes of any small shape with up to four boxes inside, each more than four pixels wide and high."""
    height, width = draw(st.integers(24, 80)), draw(st.integers(24, 80))
    boxes = []
    for _ in range(draw(st.integers(0, 4))):
        x0, y0 = draw(st.integers(0, width - 5)), draw(st.integers(0, height - 5))
        boxes.append([x0, y0, draw(st.integers(x0 + 5, width)), draw(st.integers(y0 + 5, height))])
    return scene(height, width, boxes)
