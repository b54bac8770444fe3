"""What the tests share: drawn scenes, photographs in a folder, and the way to the real ones."""

import os
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from hypothesis import settings
from PIL import Image

SAMPLES = Path(__file__).parents[1] / "src/tacit/samples"

settings.register_profile("house", deadline=None)  # the machine may be busy
settings.load_profile("house")

if "PYTEST_XDIST_WORKER" in os.environ:  # the workers share the cores
    torch.set_num_threads(1)
    cv2.setNumThreads(1)


@pytest.fixture(scope="session")
def data_root():
    """The folder of the real photographs, which stay outside the repository."""
    root = os.environ.get("TACIT_DATA")
    if not root:
        pytest.skip("needs the real photographs: set TACIT_DATA to their folder")
    return Path(root)


@pytest.fixture
def samples():
    """The sample photographs that are shipped."""
    return sorted(SAMPLES.glob("*.jpg"))


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


@pytest.fixture
def draw():
    """`draw_scene` itself, for tests that need many."""
    return draw_scene


@pytest.fixture
def scene():
    return draw_scene(0)


@pytest.fixture
def photos(tmp_path):
    """A folder of five drawn photographs of several sizes, 0.png to 4.png."""
    folder = tmp_path / "photos"
    folder.mkdir()
    for i in range(5):
        Image.fromarray(draw_scene(i, 80 + 8 * i, 120 - 8 * i)[0]).save(folder / f"{i}.png")
    return folder
