"""Films: every frame at its moment, upright; damage is passed over and told; what is no film leads nowhere."""

import sys

import numpy as np
import pytest

pytest.importorskip("av")

from films import write_film

from tacit.errors import ConfigError, ImageError
from tacit.predict.video import frames, header, is_video

NOISE = np.random.default_rng(0).integers(0, 256, (40, 48, 64, 3)).astype(np.uint8)


def shades(count, height=48, width=64):
    """Left red, right of a grey that grows."""
    pictures = np.zeros((count, height, width, 3), np.uint8)
    pictures[:, :, width // 2 :] = 10 * np.arange(count)[:, None, None, None]
    pictures[:, :, : width // 2, 0] = 220
    return pictures


def read(path):
    """What comes before the error, and that."""
    found = []
    try:
        found.extend(frames(path))  # keeps what came before an error
    except ImageError as error:
        return found, str(error)
    return found, ""


def test_every_frame_in_its_place_at_its_moment(tmp_path):
    path, pictures = tmp_path / "a.mp4", shades(12)
    write_film(path, pictures)
    found, error = read(path)
    assert error == ""
    assert [frame.moment.frame for frame in found] == list(range(12))
    assert [frame.moment.seconds for frame in found] == pytest.approx([number / 25 for number in range(12)])
    for frame, picture in zip(found, pictures, strict=True):
        assert np.abs(frame.pixels.astype(int) - picture)[8:40, [8, 16, 48, 56]].max() < 12


def test_frames_of_uneven_length(tmp_path):
    gaps = [0, 0.1, 0.15, 0.5]
    found, _ = read(write_film(tmp_path / "a.mkv", shades(4), gaps=gaps))
    assert [frame.moment.seconds for frame in found] == pytest.approx(gaps, abs=2e-3)


def test_the_header(tmp_path):
    about = header(write_film(tmp_path / "a.mp4", shades(12), rate=24))
    assert (about.rate, about.frames) == (24, 12)
    assert header(write_film(tmp_path / "a.mkv", shades(12), rate=24)).frames in {11, 12, 13}  # from its seconds


def test_a_film_of_a_telephone_held_upright(tmp_path):
    """Its matrix says: a quarter to the right."""
    path = write_film(tmp_path / "a.mp4", shades(3))
    content = path.read_bytes()
    start = content.index(b"\x00\x01\x00\x00" + bytes(12) + b"\x00\x01\x00\x00", content.index(b"tkhd"))
    one, minus, none = b"\x00\x01\x00\x00", b"\xff\xff\x00\x00", bytes(4)
    turned = none + one + none + minus + none * 2
    path.write_bytes(content[:start] + turned + content[start + len(turned) :])
    found, error = read(path)
    assert error == ""
    pixels = found[2].pixels
    assert pixels.shape == (64, 48, 3)
    assert pixels[10, 24, 0] > 190  # what was left is above
    assert pixels[54, 24, 0] < 50


def test_what_can_be_read_of_a_truncated_film_comes_first(tmp_path):
    path = write_film(tmp_path / "a.mp4", NOISE)
    path.write_bytes(path.read_bytes()[: path.stat().st_size * 2 // 3])
    found, error = read(path)
    assert 15 < len(found) < 35
    assert f"is truncated or damaged, {len(found)} of its frames could be read" in error


@pytest.mark.parametrize("content", [b"", b"no film", b"\x00" * 4000])
def test_what_is_no_film(tmp_path, content):
    path = tmp_path / "a.mp4"
    path.write_bytes(content)
    assert read(path)[0] == []
    assert str(path) in read(path)[1]


def test_what_is_not_there(tmp_path):
    assert "cannot be opened" in read(tmp_path / "gone.mp4")[1]
    (tmp_path / "folder.mp4").mkdir()
    assert "cannot be opened" in read(tmp_path / "folder.mp4")[1]


@pytest.mark.parametrize(
    "content", ["ffconcat version 1.0\nfile true.mp4\n", "#EXTM3U\n#EXT-X-TARGETDURATION:9\n#EXTINF:5,\ntrue.mp4\n"]
)
def test_a_list_of_other_files_is_not_followed(tmp_path, content, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write_film(tmp_path / "true.mp4", shades(3))
    (tmp_path / "list.mp4").write_text(content)
    found, error = read(tmp_path / "list.mp4")
    assert found == []
    assert "is not a video" in error


def test_without_the_extra(tmp_path, monkeypatch):
    path = write_film(tmp_path / "a.mp4", shades(2))
    monkeypatch.setitem(sys.modules, "av", None)
    with pytest.raises(ConfigError, match=r"pip install 'tacit\[video\]'"):
        next(frames(path))


@pytest.mark.parametrize(("name", "told"), [("a.mp4", True), ("a.MOV", True), ("a.jpg", False), ("mp4", False)])
def test_films_are_known_by_their_names(tmp_path, name, told):
    assert is_video(tmp_path / name) == told


def test_no_thread_is_left(tmp_path):
    film = frames(write_film(tmp_path / "a.mp4", NOISE))
    next(film)
    film.close()
    (tmp_path / "a.mp4").unlink()
