"""Photographs decoded at a fraction: enough pixels, the true size, upright."""

import numpy as np
import pytest
from PIL import Image

from tacit.data.images import load_image, load_reduced


def picture(width, height):
    """A smooth one: red grows to the right, green downwards."""
    y, x = np.mgrid[0:height, 0:width]
    return np.stack([255 * x / width, 255 * y / height, np.full(x.shape, 60)], 2).astype(np.uint8)


@pytest.mark.parametrize(
    ("width", "height", "least", "decoded"),
    [
        (1000, 600, 500, (300, 500)),  # exactly twice as many
        (999, 600, 500, (600, 999)),  # not quite
        (1001, 601, 500, (301, 501)),  # a half row and column more
        (2000, 1200, 500, (300, 500)),
        (600, 3999, 500, (1000, 150)),
        (4000, 7, 500, (2, 1000)),  # an eighth of seven rows would be none
        (8000, 100, 100, (13, 1000)),  # never less than an eighth
    ],
)
def test_the_smallest_fraction_that_is_enough(tmp_path, width, height, least, decoded):
    path = tmp_path / "a.jpg"
    Image.fromarray(picture(width, height)).save(path)
    found = load_reduced(path, least)
    assert found.pixels.shape[:2] == decoded
    assert (found.width, found.height) == (width, height)
    assert found.whole == (decoded == (height, width))


@pytest.mark.parametrize("suffix", ["png", "tiff", "webp", "bmp"])
def test_others_than_jpeg_are_decoded_whole(tmp_path, suffix):
    path = tmp_path / f"a.{suffix}"
    Image.fromarray(picture(400, 300)).save(path)
    found = load_reduced(path, 100)
    np.testing.assert_array_equal(found.pixels, load_image(path))
    assert found.whole


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("suffix", ["jpg", "tiff"])
def test_upright_in_every_orientation(tmp_path, orientation, suffix):
    exif = Image.Exif()
    exif[0x0112] = orientation
    path = tmp_path / f"a.{suffix}"
    Image.fromarray(picture(400, 240)).save(path, exif=exif)
    whole, found = load_image(path), load_reduced(path, 100)
    assert (found.height, found.width) == whole.shape[:2]
    step = 1 if found.whole else 4
    assert found.pixels.shape[:2] == (whole.shape[0] // step, whole.shape[1] // step)
    middles = whole[step // 2 :: step, step // 2 :: step].astype(int)
    assert np.abs(found.pixels - middles).max() < 12


@pytest.mark.parametrize("mode", ["L", "CMYK"])
def test_other_colours(tmp_path, mode):
    path = tmp_path / "a.jpg"
    Image.fromarray(picture(400, 240)).convert(mode).save(path)
    found, whole = load_reduced(path, 100), load_image(path)
    assert found.pixels.shape == (60, 100, 3)
    assert np.abs(found.pixels - whole[2::4, 2::4].astype(int)).max() < 12
