"""`tacit bench`: a table on the screen, files where they are wanted, and wishes that cannot be met."""

import json

import pytest
from commands import run

from tacit.bench import measure
from tacit.runtime.engine import Precision

QUICK = ("--size", "64", "--engines", "torch", "--precisions", "fp32", "--rounds", "2", "--no-memory")


@pytest.fixture(autouse=True)
def peaks(monkeypatch, tmp_path):
    monkeypatch.setattr(measure, "peaks", lambda: {Precision.FP32: 100.0})
    monkeypatch.setenv("TACIT_CACHE", str(tmp_path / "cache"))


def test_value_of_a_name_without_weights(capsys):
    assert run("bench", "debug", *QUICK) == 0
    told = capsys.readouterr().out
    assert "official (stand-in)" in told
    assert "debug, random weights, 64 x 64 pixels" in told
    assert "memory, MB" not in told


def test_value_of_weights_with_files(weights, tmp_path, capsys):
    assert run("bench", weights, *QUICK, "--tasks", "detect", "--output", tmp_path / "out") == 0
    assert f"written to {tmp_path / 'out' / 'debug-64.md'}" in capsys.readouterr().out
    values = json.loads((tmp_path / "out" / "debug-64.json").read_text())
    assert [line["label"] for line in values["lines"]] == ["official (stand-in)", "torch fp32"]
    assert values["weights"] == "debug.safetensors"
    assert (tmp_path / "out" / "debug-64.png").stat().st_size > 1000


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("debag",), "did you mean 'debug'"),
        (("gone.safetensors",), "there is no weights file at gone.safetensors"),
        (("debug", "--size", "100"), "multiples of 32"),
        (("debug", "--rounds", "0"), "--rounds is 0"),
        (("debug", "--engines", "turbo"), "there is no engine 'turbo'"),
        (("debug", "--precisions", "fp8"), "there is no precision 'fp8'"),
        (("debug", "--engines", "onnxruntime", "--precisions", "bf16"), "nothing to measure for onnxruntime, bf16"),
        (("debug", "--tasks", "pose"), "know no task 'pose'"),
        (("debug", "--against", "gone.onnx"), "there is no model at gone.onnx"),
    ],
)
def test_error_of_wishes(arguments, told, capsys):
    assert run("bench", *arguments) == 2
    assert told in capsys.readouterr().err
