"""`tacit predict` on films, beside photographs, damaged, and without the extra."""

import json
import sys

import numpy as np
import pytest

pytest.importorskip("av")

from commands import child, run
from films import read_film, write_film
from pictures import draw_scene


@pytest.fixture
def clip(tmp_path):
    (tmp_path / "films").mkdir()
    return write_film(tmp_path / "films/clip.mp4", [draw_scene(number)[0] for number in range(10)])


def test_a_film_beside_photographs(clip, photos, weights, tmp_path, capsys):
    out = tmp_path / "out"
    assert run("predict", clip, photos, "--weights", weights, "--output", out, "--confidence", 1e-3, "--json") == 0
    printed = capsys.readouterr().out
    assert "in 5 photographs and 10 frames" in printed
    assert f"{clip}, frame 9: " in printed
    lines = [json.loads(line) for line in (out / "results.jsonl").read_text().splitlines()]
    assert [line.get("frame") for line in lines] == [*range(10), *[None] * 5]
    assert [line["seconds"] for line in lines[:10]] == pytest.approx([number / 25 for number in range(10)])
    assert {line["path"] for line in lines[:10]} == {str(clip)}
    assert sorted(path.name for path in out.iterdir()) == [*(f"{i}.png" for i in range(5)), "clip.mp4", "results.jsonl"]
    pictures, _, rate = read_film(out / "clip.mp4")
    assert (len(pictures), pictures[0].shape, rate) == (10, (96, 128, 3), 25)
    drawn = sum(len(line["boxes"]) for line in lines[:10])
    assert drawn > 0
    assert np.abs(pictures[3].astype(int) - read_film(clip)[0][3]).max() > 60


def test_a_damaged_film_is_answered_as_far_as_it_goes(clip, weights, tmp_path, capsys):
    content = clip.read_bytes()
    clip.write_bytes(content[: len(content) * 3 // 4])
    out = tmp_path / "out"
    assert run("predict", clip, "--weights", weights, "--output", out, "--json") == 1
    printed = capsys.readouterr()
    assert f"skipped {clip}: is truncated or damaged" in printed.err
    lines = (out / "results.jsonl").read_text().splitlines()
    assert 0 < len(lines) < 10
    assert len(read_film(out / "clip.mp4")[0]) == len(lines)


def test_what_is_no_film(tmp_path, weights, capsys):
    path = tmp_path / "films.mp4"
    path.write_text("no film")
    assert run("predict", path, "--weights", weights, "--output", tmp_path / "out") == 1
    printed = capsys.readouterr()
    assert "is not a video" in printed.err
    assert "1 of 1 file skipped" in printed.err
    assert list((tmp_path / "out").iterdir()) == []


def test_without_the_extra_it_says_what_to_install(clip, weights, tmp_path, monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, "av", None)
    assert run("predict", clip, "--weights", weights, "--output", tmp_path / "out") == 2
    assert "pip install 'tacit[video]'" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


LIMITED = """
import resource, sys
resource.setrlimit(resource.RLIMIT_FSIZE, (8000, 8000))  # no file may grow larger, as on a full disk
from tacit.cli import main
sys.exit(main(sys.argv[1:]))
"""


@pytest.mark.slow
@pytest.mark.parametrize("source", ["clip", "photographs"])
def test_a_disk_that_fills_gives_one_sentence_and_leaves_nothing_half(source, clip, photos, weights, tmp_path):
    given, out = clip if source == "clip" else photos, tmp_path / "out"
    done = child("-c", LIMITED, "predict", given, "--weights", weights, "--output", out)
    assert done.returncode == 2
    assert "cannot be written: File too large" in done.stderr
    assert len(done.stderr.splitlines()) == 1
    assert list(out.iterdir()) == []
