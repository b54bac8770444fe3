"""`--engine` and `--precision`: the same answers, figures that say what they were calculated in, and what cannot be."""

import json
import sys

import pytest
import torch
from commands import run


def boxes(folder):
    lines = (folder / "results.jsonl").read_text().splitlines()
    return [box["score"] for line in lines for box in json.loads(line)["boxes"]]


@pytest.fixture
def options(photos, weights, tmp_path):
    return (photos, "--weights", weights, "--no-pictures", "--json", "--confidence", 1e-3, "--output", tmp_path / "out")


def test_predict_in_float32_is_what_it_is_without_a_word(options, tmp_path):
    assert run("predict", *options) == 0
    plain = boxes(tmp_path / "out")
    assert run("predict", *options, "--engine", "torch", "--precision", "fp32") == 0
    assert boxes(tmp_path / "out") == plain  # so small a network is never rounded


def test_predict_in_bfloat16(options, tmp_path):
    assert run("predict", *options, "--precision", "fp32") == 0
    plain = boxes(tmp_path / "out")
    assert run("predict", *options, "--precision", "bf16") == 0
    rough = boxes(tmp_path / "out")
    assert rough != plain
    assert max(rough) == pytest.approx(max(plain), rel=0.1)


def test_val_says_its_precision(dataset, weights, tmp_path, capsys):
    arguments = ("--data", dataset, "--weights", weights, "--output", tmp_path / "out")
    for more, precision in (((), "fp32"), (("--precision", "bf16"), "bf16")):
        assert run("val", *arguments, *more) == 0
        assert json.loads((tmp_path / "out/scores.json").read_text())["evaluation"]["precision"] == precision
        assert ("px in bf16" in capsys.readouterr().out) is (precision == "bf16")


@pytest.mark.parametrize(
    ("wish", "message"),
    [
        (("--engine", "abacus"), "abacus"),
        (("--precision", "fp8"), "fp8"),
        (("--precision", "int8"), "these weights are not in int8. To do: tacit export"),
        (
            ("--engine", "onnxruntime", "--precision", "bf16"),
            "onnxruntime bf16 is not possible here",
        ),
        (("--engine", "tensorrt"), "needs an NVIDIA GPU, and there is none"),
        (("--engine", "openvino", "--precision", "fp32"), "engine openvino is not installed. To do: pip install"),
    ],
)
def test_error_what_cannot_be(options, wish, message, capsys, monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setitem(sys.modules, "openvino", None)
    assert run("predict", *options, *wish) == 2
    printed = capsys.readouterr().err
    assert message in printed
    assert "Traceback" not in printed
