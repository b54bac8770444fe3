"""Photographs: every colour mode and orientation comes out as a viewer shows it, all damage as an ImageError."""

import io

import cv2
import numpy as np
import pytest
from PIL import Image

from tacit.data import images
from tacit.data.images import Header, image_header, load_image
from tacit.errors import ImageError

RED, GREEN, BLUE = (255, 0, 0), (0, 255, 0), (0, 0, 255)
# How a picture has to be stored so that the EXIF orientation brings it upright.
STORED = {
    1: None,
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_90,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_270,
}


def quarters():
    """40 x 60 pixels: red and green above, blue and black below."""
    image = np.zeros((40, 60, 3), np.uint8)
    image[:20, :30], image[:20, 30:], image[20:, :30] = RED, GREEN, BLUE
    return image


def saved(tmp_path, image, name="a.png", **options):
    path = tmp_path / name
    image.save(path, **options)
    return path


@pytest.mark.parametrize("suffix", ["jpg", "png", "webp", "tiff"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_every_orientation_is_shown_upright(tmp_path, orientation, suffix):
    image, exif = Image.fromarray(quarters()), Image.Exif()
    exif[0x0112] = orientation
    turn = STORED[orientation]
    path = saved(tmp_path, image if turn is None else image.transpose(turn), f"a.{suffix}", exif=exif)

    shown = load_image(path).astype(int)

    assert shown.shape == (40, 60, 3)
    assert (image_header(path).width, image_header(path).height) == (60, 40)
    centres = shown[[10, 10, 30, 30], [15, 45, 15, 45]]
    assert np.abs(centres - [RED, GREEN, BLUE, (0, 0, 0)]).max() < 12


def test_header_knows_the_stored_size(tmp_path):
    exif = Image.Exif()
    exif[0x0112] = 6
    path = saved(tmp_path, Image.new("RGB", (30, 20)), "a.jpg", exif=exif)
    assert image_header(path) == Header(width=20, height=30, orientation=6)
    assert image_header(path).stored_size == (30, 20)


@pytest.mark.parametrize(
    ("mode", "colour", "shown"),
    [
        ("L", 100, (100, 100, 100)),
        ("1", 1, (255, 255, 255)),
        ("RGB", (10, 20, 30), (10, 20, 30)),
        ("RGBA", (10, 20, 30, 255), (10, 20, 30)),
        ("RGBA", (10, 20, 30, 0), (255, 255, 255)),
        ("LA", (0, 0), (255, 255, 255)),
        ("LA", (40, 255), (40, 40, 40)),
        ("I;16", 65535, (255, 255, 255)),
        ("I;16", 25700, (100, 100, 100)),  # clipping would give 255
        ("I;16", 128, (0, 0, 0)),  # 0.498 of a step
        ("I;16", 129, (1, 1, 1)),  # 0.502 of a step
    ],
)
def test_colour_modes_of_png(tmp_path, mode, colour, shown):
    path = saved(tmp_path, Image.new(mode, (4, 3), colour))
    image = load_image(path)
    assert image.dtype == np.uint8
    assert image.shape == (3, 4, 3)
    assert (image == shown).all()


def test_palette_with_and_without_transparency(tmp_path):
    image = Image.new("P", (2, 1))
    image.putpalette([*RED, *GREEN])
    image.putdata([0, 1])
    assert load_image(saved(tmp_path, image, "solid.png")).tolist() == [[list(RED), list(GREEN)]]
    clear = load_image(saved(tmp_path, image, "clear.png", transparency=1))
    assert clear.tolist() == [[list(RED), [255, 255, 255]]]


def test_cmyk_jpeg(tmp_path):
    path = saved(tmp_path, Image.new("CMYK", (16, 16), (0, 255, 255, 0)), "a.jpg", quality=95)
    assert np.abs(load_image(path).astype(int) - RED).max() < 6


def test_16_bit_colour_png_is_scaled(tmp_path):
    colour = np.full((4, 4, 3), (0, 32768, 65535), np.uint16)  # BGR
    cv2.imwrite(str(tmp_path / "a.png"), colour)
    assert np.abs(load_image(tmp_path / "a.png").astype(int) - (255, 128, 0)).max() <= 1


def test_animation_gives_its_first_frame(tmp_path):
    frames = [Image.new("RGB", (4, 4), colour) for colour in (RED, BLUE)]
    path = saved(tmp_path, frames[0], "a.gif", save_all=True, append_images=frames[1:])
    assert (load_image(path) == RED).all()


def test_32_bit_pixels_are_refused(tmp_path):
    with pytest.raises(ImageError, match="32-bit"):
        load_image(saved(tmp_path, Image.new("F", (4, 4), 0.5), "a.tiff"))


def test_the_answer_may_be_drawn_on(tmp_path):
    image = load_image(saved(tmp_path, Image.new("RGB", (4, 4))))
    image[:] = 9
    assert image.flags.owndata


@pytest.mark.parametrize("suffix", ["jpg", "png", "webp", "gif", "bmp", "tiff"])
@pytest.mark.parametrize("share", [0.02, 0.5, 0.95])
def test_truncated_files_are_refused(tmp_path, suffix, share):
    noise = np.random.default_rng(0).integers(0, 255, (64, 64, 3)).astype(np.uint8)
    path = saved(tmp_path, Image.fromarray(noise), f"a.{suffix}")
    path.write_bytes(path.read_bytes()[: int(path.stat().st_size * share)])
    with pytest.raises(ImageError, match=r"truncated|not a picture"):
        load_image(path)


@pytest.mark.parametrize("suffix", ["jpeg", "png", "webp", "gif", "bmp", "tiff"])
def test_damaged_bytes_give_a_picture_or_an_image_error(tmp_path, suffix):
    """Neither another exception nor a warning, which pytest makes an error, comes through."""
    random, buffer = np.random.default_rng(0), io.BytesIO()
    Image.fromarray(random.integers(0, 255, (16, 16, 3)).astype(np.uint8)).save(buffer, suffix)
    refused = 0
    for _ in range(60):
        data = np.frombuffer(buffer.getvalue(), np.uint8).copy()
        data[random.integers(0, min(len(data), 300), 4)] = random.integers(0, 256, 4)
        (tmp_path / "a").write_bytes(data.tobytes())
        try:
            assert load_image(tmp_path / "a").dtype == np.uint8
        except ImageError:
            refused += 1
    assert refused > 0


@pytest.mark.parametrize("make", ["missing", "folder", "empty", "text"])
def test_what_is_no_picture_is_refused(tmp_path, make):
    path = tmp_path / "a.jpg"
    if make == "folder":
        path.mkdir()
    elif make != "missing":
        path.write_text("" if make == "empty" else "I am a photograph")
    word = {"missing": "not there", "folder": "is a folder", "empty": "empty file", "text": "not a picture"}[make]
    for read in (load_image, image_header):
        with pytest.raises(ImageError, match=word):
            read(path)


@pytest.mark.parametrize("size", [(13400, 13400), (20000, 20000)])
def test_decompression_bombs_are_refused_by_their_header(tmp_path, size):
    path = saved(tmp_path, Image.new("1", size), "bomb.png")
    assert path.stat().st_size < 100_000
    for read in (image_header, load_image):
        with pytest.raises(ImageError, match="decompression bomb"):
            read(path)


def test_a_disk_that_fails_while_reading_is_an_image_error(tmp_path, monkeypatch):
    class Failing(io.RawIOBase):
        def readable(self):
            return True

        def seekable(self):
            return True

        def seek(self, *_):
            return 0

        def readinto(self, _):
            raise OSError(5, "Input/output error")

    path = saved(tmp_path, Image.new("RGB", (4, 4)))
    monkeypatch.setattr(images, "_reading", lambda _: io.BufferedReader(Failing()))
    for read in (load_image, image_header):
        with pytest.raises(ImageError, match=r"a\.png cannot be read: Input/output error"):
            read(path)


def test_a_huge_file_is_not_read_as_a_whole(tmp_path):
    """A small picture with a hole of a gigabyte behind it, then of a terabyte."""
    path = saved(tmp_path, Image.new("RGB", (4, 4)))
    with path.open("r+b") as file:
        file.truncate(images.MAX_BYTES)
    assert load_image(path).shape == (4, 4, 3)  # what follows a picture is none of it
    with path.open("r+b") as file:
        file.truncate(1 << 40)
    for read in (load_image, image_header):
        with pytest.raises(ImageError, match="too large"):
            read(path)
