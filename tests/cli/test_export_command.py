"""`tacit export`: names and options that do not fit; and, slow, weights to a file that predicts."""

import pytest
from commands import run
from swatches import RECORD, network_of_two, untaught

from tacit import load
from tacit.runtime.export import Format
from tacit.weights.files import save
from tacit.weights.knowledge_file import write


@pytest.fixture(scope="module")
def network():
    return network_of_two()


@pytest.fixture
def weights(network, tmp_path):
    save(network, RECORD, tmp_path / "weights.safetensors")
    return tmp_path / "weights.safetensors"


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--output", "model.xml"), "a name that ends in .onnx"),
        (("--format", "torch", "--output", "model.onnx"), "a name that ends in .pt2"),
        (("--precision", "bf16"), "onnxruntime does not calculate"),
        (("--format", "torch", "--nms"), "suppression goes into"),
        (("--precision", "int8", "--format", "onnx"), "int8 is not written as onnx"),
        (("--precision", "int8", "--output", "model.onnx"), "a name that ends in .xml"),
        (("--precision", "int8"), "--data FOLDER"),
        (("--data", "nowhere"), "says nothing here"),
        (("--precision", "int8", "--data", "nowhere"), "nowhere is not there"),
        (("--nms", "--iou", "7"), "numbers from 0 to 1"),
        (("--size", "100"), "multiples of 32"),
        (("--tasks", "pose"), "know no task 'pose'"),
        (("--knowledge", "birds.safetensors"), "no knowledge file"),
    ],
)
def test_error_options_that_do_not_fit(weights, tmp_path, monkeypatch, capsys, options, message):
    monkeypatch.chdir(tmp_path)
    assert run("export", weights, *options) == 2
    assert message in capsys.readouterr().err
    assert [path.name for path in tmp_path.iterdir()] == ["weights.safetensors"]


def test_error_no_weights(tmp_path, capsys):
    assert run("export", tmp_path / "none.safetensors") == 2
    assert "no weights file at" in capsys.readouterr().err


def test_every_format_has_its_name():
    assert len({kind.suffix for kind in Format}) == len(Format)


@pytest.mark.slow
def test_weights_and_knowledge_to_a_file_that_predicts(weights, network, tmp_path, photos, capsys):
    birds, output = tmp_path / "birds.safetensors", tmp_path / "made/here.onnx"
    write(untaught(network, "birds"), birds)
    options = ("--knowledge", birds, "--tasks", "detect,birds", "--nms", "--confidence", "0.1", "--size", "96")
    assert run("export", weights, "--output", output, *options) == 0
    said = capsys.readouterr()
    assert "detect/rows, birds/tags" in said.out
    assert f"written to {output}" in said.out
    assert said.err == ""
    model = load(output)
    passport = model.engine.passport
    assert (model.tasks, model.record.input_size, passport.suppression.confidence) == (("detect", "birds"), 96, 0.1)
    assert passport.to_strings()["knowledge"] == '["birds"]'
    assert run("predict", photos, "--weights", output, "--output", tmp_path / "drawn") == 0
    assert run("export", output) == 2
    assert "exported already" in capsys.readouterr().err
