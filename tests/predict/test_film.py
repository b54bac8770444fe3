"""Drawn films: as long, as fast and as large as the film itself, and whole or not there."""

import errno
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("av")

from films import read_film, write_film

from tacit.drawing import colour_of
from tacit.errors import TacitError
from tacit.predict.film import Films
from tacit.results import Moment, Result


def results(path, count, height=48, width=64, gap=1 / 25):
    return [
        Result(
            boxes=np.array([[10, 10, 40, 40]], np.float32),
            scores=np.ones(1, np.float32),
            classes=np.zeros(1, np.int64),
            names=("thing",),
            width=width,
            height=height,
            path=path,
            image=np.full((height, width, 3), 20 * number % 256, np.uint8),
            moment=Moment(number, number * gap),
        )
        for number in range(count)
    ]


@pytest.fixture
def clip(tmp_path):
    (tmp_path / "in").mkdir()
    return write_film(tmp_path / "in/clip.mkv", np.zeros((3, 48, 64, 3), np.uint8), rate=30)


def write(folder, frames):
    with Films(folder) as writer:
        for frame in frames:
            writer.write(frame)


def test_a_drawn_film_has_the_frames_the_rate_and_the_size(clip, tmp_path):
    write(tmp_path / "out", results(clip, 9, gap=1 / 30))
    pictures, moments, rate = read_film(tmp_path / "out/clip.mp4")
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["clip.mp4"]
    assert rate == 30
    assert moments == pytest.approx([number / 30 for number in range(9)], abs=1e-3)
    for number, picture in enumerate(pictures):
        assert picture.shape == (48, 64, 3)
        assert np.abs(picture[44:, 50:].astype(int) - 20 * number).max() < 8  # beside the box
        line = picture[20:36, 10].astype(int)
        assert np.abs(line - colour_of(0)).mean() < 60  # thin, and of half the colour's resolution


def test_odd_sides_grow_by_one(clip, tmp_path):
    write(tmp_path, results(clip, 2, height=47, width=61))
    assert read_film(tmp_path / "clip.mp4")[0][0].shape == (48, 62, 3)


def test_uneven_frames_keep_their_moments(clip, tmp_path):
    frames = results(clip, 5, gap=0.31)
    write(tmp_path, frames)
    assert read_film(tmp_path / "clip.mp4")[1] == pytest.approx([0.31 * number for number in range(5)], abs=1e-3)


def test_two_films_of_one_name(clip, tmp_path):
    other = write_film(tmp_path / "clip.mov", np.zeros((2, 48, 64, 3), np.uint8))
    write(tmp_path / "out", [*results(clip, 3), *results(other, 2)])
    assert len(read_film(tmp_path / "out/clip.mp4")[0]) == 3
    assert len(read_film(tmp_path / "out/clip-2.mp4")[0]) == 2


def test_photographs_are_left_to_others(tmp_path):
    frame = results(Path("a.jpg"), 1)[0]
    photograph = Result(**{**vars(frame), "moment": None})
    write(tmp_path, [photograph])
    assert list(tmp_path.iterdir()) == []


def test_a_full_disk_leaves_nothing(clip, tmp_path, monkeypatch):
    out = tmp_path / "out"
    out.mkdir()
    (out / "clip.mp4").write_text("of an earlier run")
    opened = Path.open

    def open_on_a_full_disk(path, *options, **more):
        file = opened(path, *options, **more)
        return Full(file) if path.name == "clip.mp4.partial" else file

    monkeypatch.setattr(Path, "open", open_on_a_full_disk)
    with pytest.raises(TacitError, match=r"clip.mp4 cannot be written: No space left.*make room on the disk"):
        write(out, results(clip, 60, 480, 640))
    assert [path.name for path in out.iterdir()] == ["clip.mp4"]
    assert (out / "clip.mp4").read_text() == "of an earlier run"


class Full:
    """A file on a disk that has room for a hundred bytes more."""

    def __init__(self, file):
        self.file, self.room = file, 100

    def write(self, content):
        self.room -= len(content)
        if self.room < 0:
            raise OSError(errno.ENOSPC, "No space left on device")
        return self.file.write(content)

    def __enter__(self):
        return self

    def __exit__(self, *error):
        self.file.close()

    def __getattr__(self, name):
        return getattr(self.file, name)


def test_an_interruption_leaves_nothing(clip, tmp_path):
    def interrupted():
        yield from results(clip, 5)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write(tmp_path / "out", interrupted())
    assert list((tmp_path / "out").iterdir()) == []
