"""`tacit data`: what is there, what is wrong, and the sheet."""

import os

import pytest
from commands import child, run
from layouts import coco, photo, yolo
from PIL import Image


def test_data_tells_what_is_there_and_draws_a_sheet(dataset, tmp_path, capsys):
    assert run("data", dataset, "--output", tmp_path / "out") == 0
    printed = capsys.readouterr().out
    for words in ("COCO", "train", "val", "square", "disc"):
        assert words in printed
    for split in ("train", "val"):
        with Image.open(tmp_path / "out" / f"{split}.jpg") as sheet:
            assert min(sheet.size) > 100
        assert "photographs" in (tmp_path / "out" / f"{split}.txt").read_text()


def test_data_names_faults_and_strict_stops(dataset, tmp_path, capsys):
    (dataset / "images/train/3.png").write_bytes(b"")
    arguments = ("data", dataset, "--split", "train", "--output", tmp_path / "out")
    assert run(*arguments) == 1
    assert "3.png" in capsys.readouterr().err
    assert run(*arguments, "--strict") == 2
    assert "3.png" in capsys.readouterr().err


def test_data_of_nothing_is_an_error(tmp_path, capsys):
    assert run("data", tmp_path / "gone") == 2
    assert "gone is not there" in capsys.readouterr().err


@pytest.mark.parametrize("name", ["bottle [plastic]", "a[/b]", ":cat:", "[red]"])
def test_class_names_are_printed_as_they_are(name, tmp_path, capsys):
    file = coco(tmp_path) / "annotations/instances.json"
    file.write_text(file.read_text().replace('"cat"', f'"{name}"'))
    assert run("data", tmp_path, "--output", tmp_path / "out") == 0
    assert f" {name} " in capsys.readouterr().out


def test_boxes_of_a_teacher_that_was_not_sure_count(tmp_path, capsys):
    assert run("data", coco(tmp_path, score=0.1), "--output", tmp_path / "out") == 0
    assert "0 of them without a box" in capsys.readouterr().out


def test_what_was_only_clipped_is_a_note_and_no_loss(tmp_path, capsys):
    assert run("data", coco(tmp_path, [(40, 8, 50, 16)]), "--output", tmp_path / "out") == 0
    assert capsys.readouterr().err.startswith("note: ")
    assert run("data", coco(tmp_path / "b", [(8, 8, 20, 16), (90, 90, 5, 5)]), "--output", tmp_path / "out") == 1
    assert capsys.readouterr().err.startswith("left out: ")


def test_data_takes_names_that_are_no_text(tmp_path):
    odd = photo(tmp_path / "images" / os.fsdecode(b"caf\xe9.png"))
    odd.write_bytes(b"")
    done = child("-m", "tacit", "data", yolo(tmp_path), "--output", tmp_path / "out", PYTHONIOENCODING="utf-8:strict")
    assert done.returncode == 1
    assert r"left out: " in done.stderr
    assert r"caf\udce9.png" in done.stderr
    assert r"caf\udce9.png" in (tmp_path / "out/all.txt").read_text(encoding="utf-8")
