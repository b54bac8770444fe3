"""Reading photographs a second time: the same pixels, or not at all."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from pictures import draw_scene
from PIL import Image

from tacit.data.again import compared
from tacit.data.cache import Photographs
from tacit.data.images import load_image, load_reduced
from tacit.data.sample import Sample


def picture(path: Path, **options) -> Path:
    Image.fromarray(draw_scene(3, 120, 160)[0]).save(path, **options)
    return path


def sample(path: Path) -> Sample:
    width, height = Image.open(path).size
    none = np.zeros(0, np.float32)
    return Sample(path, width, height, 1, none.reshape(0, 4), np.zeros(0, np.int64), np.zeros(0, np.bool_), none)


@pytest.mark.parametrize("least", [160, 80, 79, 40, 20])
def test_value_the_same_pixels(tmp_path: Path, least: int) -> None:
    first = load_reduced(picture(tmp_path / "a.jpg"), least)
    again = compared(tmp_path / "a.jpg", first)
    assert again is not None
    second = again.read()
    np.testing.assert_array_equal(second.pixels, first.pixels)
    assert (second.height, second.width) == (120, 160)


def test_value_turned_photographs_too(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    first = load_reduced(picture(tmp_path / "a.jpg", exif=exif), 160)
    assert compared(tmp_path / "a.jpg", first).read().pixels.shape == (160, 120, 3)


def test_value_what_differs_is_left_to_pillow(tmp_path: Path) -> None:
    first = load_reduced(picture(tmp_path / "a.jpg"), 160)
    assert compared(tmp_path / "a.jpg", replace(first, pixels=first.pixels ^ 1)) is None


def test_value_other_formats_are_left_to_pillow(tmp_path: Path) -> None:
    path = picture(tmp_path / "a.png")
    assert compared(path, load_reduced(path, 160)) is None


def test_value_a_changed_file_is_not_trusted(tmp_path: Path) -> None:
    path = picture(tmp_path / "a.jpg")
    again = compared(path, load_reduced(path, 160))
    path.write_bytes(path.read_bytes()[:-100])
    assert again.read() is None
    path.unlink()
    assert again.read() is None
    assert compared(path, load_reduced(picture(tmp_path / "b.jpg"), 160)) is None


def test_value_a_photograph_cut_off_later_is_a_fault(tmp_path: Path) -> None:
    paths = [picture(tmp_path / f"{name}.jpg", quality=90) for name in "ab"]
    photographs = Photographs([sample(path) for path in paths], 160)
    whole = photographs.find(0, 160)
    np.testing.assert_array_equal(whole.scene.image, load_image(paths[0]))
    paths[0].write_bytes(paths[0].read_bytes()[:-400])
    found = photographs.find(0, 160)
    assert found.path == paths[1]
    assert "truncated" in found.faults[0].reason


def test_value_large_photographs_are_decoded_in_part_with_their_boxes(tmp_path: Path) -> None:
    """A white rectangle, four times as large as training asks for: its box follows, kept in memory or not."""
    pixels = np.zeros((300, 402, 3), np.uint8)
    pixels[100:200, 120:320] = 255
    Image.fromarray(pixels).save(tmp_path / "a.jpg", quality=95)
    boxed = replace(
        sample(tmp_path / "a.jpg"),
        boxes=np.array([[120, 100, 320, 200]], np.float32), classes=np.zeros(1, np.int64),
        crowd=np.zeros(1, np.bool_), area=np.array([20000], np.float32),
    )  # fmt: skip
    kept, read = (Photographs([boxed], 96, keep=keep).find(0, 96).scene for keep in (1 << 20, 0))
    np.testing.assert_array_equal(kept.image, read.image)
    assert kept.image.shape == (72, 96, 3)
    rows, columns = np.nonzero(kept.image[..., 0] > 127)
    seen = [columns.min(), rows.min(), columns.max() + 1, rows.max() + 1]
    np.testing.assert_allclose(kept.boxes[0], seen, atol=1)
