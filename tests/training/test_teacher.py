"""Learning from another network's features: a teacher of three average pools, made here."""

import sys
from dataclasses import replace

import onnx
import pytest
import torch
from drawn import drawn_dataset
from onnx import TensorProto, helper
from test_training import Notes, assert_same, state_of

from tacit import weights, zoo
from tacit.data.augment import PLAIN
from tacit.errors import ConfigError, MissingExtraError, WeightsError
from tacit.training.loop import resume, train
from tacit.training.recipe import Optimiser, Recipe
from tacit.training.teacher import Teacher

STRIDES = {"stages.2": 16, "outs.0": 8, "outs.2": 32}


def pools(path, strides=STRIDES):
    """An ONNX file that gives the mean colour of each cell, to modules of our trunk."""
    nodes, outputs = [], []
    for name, stride in strides.items():
        shape, strides_ = [stride, stride], [stride, stride]
        nodes.append(helper.make_node("AveragePool", ["rgb"], [name], kernel_shape=shape, strides=strides_))
        outputs.append(helper.make_tensor_value_info(name, TensorProto.FLOAT, ["b", 3, f"h_{name}", f"w_{name}"]))
    rgb = helper.make_tensor_value_info("rgb", TensorProto.FLOAT, ["b", 3, "h", "w"])
    model = helper.make_model(
        helper.make_graph(nodes, "pools", [rgb], outputs), opset_imports=[helper.make_opsetid("", 17)], ir_version=9
    )
    onnx.save(model, path)
    return path


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    return drawn_dataset(tmp_path_factory.mktemp("drawn"))


@pytest.fixture
def recipe(data, tmp_path):
    return Recipe(
        data=(data,), model="debug", output=tmp_path / "run", epochs=2, batch=8, size=64, workers=0, augment=PLAIN,
        teacher=pools(tmp_path / "teacher.onnx"), optimiser=Optimiser(learning_rate=1e-3, warmup_bias_rate=0.0),
    )  # fmt: skip


def test_the_loss_is_the_error_of_the_standardised_maps(tmp_path):
    network = zoo.debug(2)
    teacher = Teacher(pools(tmp_path / "t.onnx"), network)
    images = torch.rand(4, 3, 64, 96)
    maps = {}
    for name in STRIDES:
        network.trunk.get_submodule(name).register_forward_hook(lambda *seen, name=name: maps.update({name: seen[2]}))
    network(images)
    wanted = []
    for predict, (name, stride) in zip(teacher.predict, STRIDES.items(), strict=True):
        theirs = torch.nn.functional.avg_pool2d(images, stride)
        mean, spread = theirs.mean((0, 2, 3), keepdim=True), theirs.var((0, 2, 3), unbiased=False, keepdim=True)
        wanted.append((predict(maps[name]) - (theirs - mean) / (spread + 1e-5).sqrt()).square().mean())
    torch.testing.assert_close(teacher.loss(images), torch.stack(wanted).mean(), rtol=1e-4, atol=1e-5)


def test_the_gradient_reaches_the_trunk_and_not_the_heads(tmp_path):
    network = zoo.debug(2)
    teacher = Teacher(pools(tmp_path / "t.onnx"), network)
    images = torch.rand(4, 3, 64, 64)
    network(images)
    teacher.loss(images).backward()
    assert all(p.grad is not None and p.grad.any() for p in network.trunk.outs[0].parameters())
    assert all(p.grad is None for p in network.tasks.parameters())


def test_features_are_learned_and_the_teacher_stays_behind(recipe):
    notes = Notes()
    folder = train(replace(recipe, epochs=8, validate_every=8), notes)
    assert notes.rows[-1]["loss/teacher/features"] < 0.9 * notes.rows[0]["loss/teacher/features"]
    found = weights.load(folder / "last.safetensors")
    assert found.network.state_dict().keys() == zoo.debug(2).state_dict().keys()
    assert "teacher.onnx" not in found.record.to_json()


def test_stopping_changes_nothing(recipe, tmp_path):
    recipe = replace(recipe, checkpoint_minutes=0.0)
    whole = train(recipe)
    with pytest.raises(KeyboardInterrupt):
        train(replace(recipe, output=tmp_path / "stopped"), Notes(stop_after=4))
    assert_same(state_of(whole), state_of(resume(tmp_path / "stopped")))


def test_what_is_no_teacher(tmp_path, monkeypatch):
    with pytest.raises(WeightsError, match="no teacher"):
        Teacher(tmp_path / "gone.onnx", zoo.debug(2))
    (tmp_path / "page.onnx").write_text("<html>")
    with pytest.raises(WeightsError, match="not an ONNX network"):
        Teacher(tmp_path / "page.onnx", zoo.debug(2))
    with pytest.raises(ConfigError, match=r"'level0'.*stages"):
        Teacher(pools(tmp_path / "other.onnx", {"level0": 8}), zoo.debug(2))
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    with pytest.raises(MissingExtraError, match="onnxruntime"):
        Teacher(pools(tmp_path / "t.onnx"), zoo.debug(2))
