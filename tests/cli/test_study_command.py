"""`tacit study`: a table in the end, and errors without a traceback."""

import json

import pytest
from commands import run

from tacit.training.studies import STUDIES


@pytest.mark.slow
def test_a_study_from_one_command(dataset, tmp_path, capsys):
    out = tmp_path / "study"
    options = ("--model", "debug", "--epochs", "1", "--size", "64", "--batch", "4", "--workers", "0", "--seeds", "2")
    assert run("study", "alignment", "--data", dataset, *options, "--output", out) == 0
    printed = capsys.readouterr().out
    assert "4 runs, of them 4 to do" in printed
    assert "run 2 of 4: + iFA, seed 0" in printed
    assert "| + iFA | baseline | AP |" in printed
    assert {"alignment.md", "alignment.json", "alignment.png", "runs"} == {path.name for path in out.iterdir()}
    assert json.loads((out / "alignment.json").read_text())["seeds"] == [0, 1]
    assert run("study", "alignment", "--data", dataset, *options, "--output", out) == 0
    assert "4 runs, of them 0 to do" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("alignmnt", "--data", "{dataset}"), "did you mean 'alignment'"),
        (("alignment",), "nothing to train on"),
        (("alignment", "--data", "gone", "--model", "debug"), "gone is not there"),
        (("sharing", "--data", "{dataset}", "--model", "debug"), "--tasks detect,pose,tags"),
        (("alignment", "--data", "{dataset}", "--seeds", "0"), "seeds=0"),
        ((), "NAME"),
    ],
)
def test_it_says_what_is_wrong_without_a_traceback(arguments, message, dataset, tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert run("study", *(argument.format(dataset=dataset) for argument in arguments)) == 2
    printed = capsys.readouterr()
    assert message in printed.err
    assert "Traceback" not in printed.err


def test_help_names_every_study(capsys):
    assert run("study", "--help") == 0
    printed = capsys.readouterr().out
    assert all(name in printed for name in STUDIES)
