"""What the tests share: drawn scenes, photographs in a folder, and the way to the real ones."""

import os
from pathlib import Path

import cv2
import pytest
import torch
from hypothesis import settings
from pictures import SAMPLES, draw_scene
from PIL import Image

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
