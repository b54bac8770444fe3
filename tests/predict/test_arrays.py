"""Arrays and Pillow images: what is read as which colours, and every refusal."""

import numpy as np
import pytest
from PIL import Image

from tacit.data.images import load_image
from tacit.errors import ImageError
from tacit.predict.arrays import from_array, from_pillow

RED = np.full((4, 6, 3), (200, 10, 20), np.uint8)


def test_rgb_is_taken_as_it_is_and_bgr_is_turned():
    assert (from_array(RED) == RED).all()
    assert (from_array(RED[..., ::-1].copy(), bgr=True) == RED).all()


@pytest.mark.parametrize("shape", [(4, 6), (4, 6, 1)])
def test_grey_becomes_three_equal_channels(shape):
    grey = np.arange(24, dtype=np.uint8).reshape(shape)
    assert (from_array(grey) == grey.reshape(4, 6)[..., None]).all()
    assert from_array(grey, bgr=True).shape == (4, 6, 3)


@pytest.mark.parametrize(
    ("array", "message"),
    [
        (np.zeros((4, 6, 3), np.float32), r"holds float32.*uint8.*\* 255"),
        (np.full((4, 6, 3), np.nan), "holds float64.*not finite"),
        (np.zeros((4, 6, 3), np.uint16), r"holds uint16.*// 257"),
        (np.zeros((4, 6), bool), "holds bool"),
        (np.zeros((4, 6, 3), np.int64), "holds int64"),
        (np.zeros((4, 6, 3), object), "holds object"),
        (np.zeros((0, 6, 3), np.uint8), r"is empty: its shape is \(0, 6, 3\)"),
        (np.zeros((), np.uint8), r"has the shape \(\)"),
        (np.zeros(6, np.uint8), r"has the shape \(6,\)"),
        (np.zeros((4, 6, 4), np.uint8), "leave the alpha channel out"),
        (np.zeros((4, 6, 2), np.uint8), r"has the shape \(4, 6, 2\)"),
        (np.zeros((3, 40, 60), np.uint8), "put the channels last"),
        (np.zeros((2, 4, 6, 3), np.uint8), r"list\(array\)"),
    ],
)
def test_what_would_be_answered_wrongly_is_refused(array, message):
    with pytest.raises(ImageError, match=message):
        from_array(array)


@pytest.mark.parametrize("mode", ["RGB", "RGBA", "CMYK", "YCbCr"])
def test_pillow_modes_of_eight_bits_show_the_same_colour(mode):
    assert np.abs(from_pillow(Image.fromarray(RED).convert(mode)).astype(int) - RED).max() <= 3


def test_pillow_grey_palette_and_bilevel():
    assert (from_pillow(Image.new("L", (6, 4), 77)) == 77).all()
    assert (from_pillow(Image.new("1", (6, 4), 1)) == 255).all()
    assert (from_pillow(Image.fromarray(RED).quantize(4)) == RED).all()


def test_what_is_transparent_stands_on_white():
    assert (from_pillow(Image.new("RGBA", (6, 4), (9, 9, 9, 0))) == 255).all()
    assert (from_pillow(Image.new("LA", (6, 4), (9, 0))) == 255).all()


def test_exif_turns_a_pillow_image():
    image = Image.fromarray(RED)
    image.getexif()[0x0112] = 6
    assert from_pillow(image).shape == (6, 4, 3)


@pytest.mark.parametrize("colour", [0, 128, 129, 25_700, 65_535])
def test_16_bits_are_the_same_as_by_path(tmp_path, colour):
    path = tmp_path / "a.png"
    Image.new("I;16", (6, 4), colour).save(path)
    with Image.open(path) as image:
        assert (from_pillow(image) == load_image(path)).all()
    assert (from_pillow(Image.new("I;16", (6, 4), colour)) == load_image(path)).all()


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("suffix", ["jpg", "png", "tiff"])
def test_an_opened_file_is_the_same_as_by_path(tmp_path, suffix, orientation):
    exif = Image.Exif()
    exif[0x0112] = orientation
    pixels = np.random.default_rng(0).integers(0, 256, (8, 12, 3)).astype(np.uint8)
    path = tmp_path / f"a.{suffix}"
    Image.fromarray(pixels).save(path, exif=exif)
    for load_first in (False, True):
        with Image.open(path) as image:
            if load_first:
                image.load()
            assert np.array_equal(from_pillow(image), load_image(path))


@pytest.mark.parametrize("suffix", ["jpg", "png", "gif"])
def test_a_truncated_or_closed_image_is_an_image_error(tmp_path, suffix):
    path = tmp_path / f"a.{suffix}"
    noise = np.random.default_rng(0).integers(0, 256, (64, 64, 3)).astype(np.uint8)
    Image.fromarray(noise).save(path)
    with Image.open(path) as closed:
        pass
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    with Image.open(path) as truncated:
        for image in (truncated, closed):
            with pytest.raises(ImageError, match="truncated or damaged"):
                from_pillow(image)


@pytest.mark.parametrize(("mode", "size"), [("F", (6, 4)), ("I", (6, 4)), ("La", (6, 4)), ("RGB", (0, 4))])
def test_pillow_images_that_are_refused(mode, size):
    with pytest.raises(ImageError):
        from_pillow(Image.new(mode, size))
