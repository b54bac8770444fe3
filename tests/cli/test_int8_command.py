"""`tacit export --precision int8`: a file that answers, what it costs, and what is missing said in a sentence."""

import shlex
from pathlib import Path

import pytest
from commands import run

from tacit.cli.export import Options
from tacit.cli.screen import parse

PAGE = Path(__file__).parents[2] / "docs/learn/int8.md"
INT8 = ("--format", "openvino", "--precision", "int8")


@pytest.mark.slow  # exporting takes most of it
def test_int8_is_written_and_scored(dataset, weights, tmp_path, capsys):
    pytest.importorskip("nncf")
    pytest.importorskip("onnxscript")
    out = tmp_path / "small.xml"
    assert run("export", weights, *INT8, "--data", dataset, "--photographs", 3, "--output", out) == 0
    printed = capsys.readouterr().out
    for words in ("calibrating on 3 photographs", "int8", "before and after, on 4 photographs", "detect ap"):
        assert words in printed
    assert run("val", "--data", dataset, "--weights", out, "--output", tmp_path / "val") == 0
    assert sorted(path.name for path in tmp_path.glob("small.*")) == ["small.bin", "small.xml"]


@pytest.mark.parametrize(
    ("more", "says"),
    [
        (INT8, "--data FOLDER"),
        ((*INT8, "--data", "nowhere"), "nowhere is not there"),
        ((*INT8, "--data", "empty"), "no photographs to calibrate on"),
        ((*INT8, "--data", "empty", "--photographs", "0"), "--photographs is 0"),
        (("--precision", "int8", "--data", "empty"), "--format openvino"),
        (("--data", "empty"), "--precision int8"),
    ],
    ids=lambda value: "" if isinstance(value, tuple) else value,
)
def test_error_what_is_missing_is_said_in_a_sentence(more, says, weights, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "empty").mkdir()
    before = sorted(tmp_path.rglob("*"))
    assert run("export", weights, *more, "--output", f"small{'.xml' if 'openvino' in more else '.onnx'}") == 2
    (line,) = capsys.readouterr().err.strip().splitlines()
    assert says in line
    assert sorted(tmp_path.rglob("*")) == before


def test_commands_as_shown_are_understood():
    lines = [line.split("#")[0] for line in PAGE.read_text(encoding="utf-8").splitlines()]
    shown = [shlex.split(line)[2:] for line in lines if line.startswith("tacit export")]
    assert len(shown) > 1
    for words in shown:
        assert parse(Options, words, "export").wish()
