"""Exported files as models: they answer what the weights answer, and do nothing else."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from pictures import draw_scene
from seven import network_of_seven, record_of_seven
from small_export import LIMITS, SMALL

from tacit import load
from tacit.api import Model
from tacit.errors import ConfigError, WeightsError
from tacit.runtime.exported import shell
from tacit.runtime.onnx_engine import OnnxEngine
from tacit.runtime.onnx_export import described, passport_in
from tacit.runtime.onnx_file import read_onnx
from tacit.runtime.passport import Passport

onnx = pytest.importorskip("onnx")
onnxruntime = pytest.importorskip("onnxruntime")

SHAPES = [(1, 3, 64, 64), (3, 3, 96, 64), (2, 3, 32, 160)]


@pytest.fixture(scope="module")
def model():
    return load(SMALL)


@pytest.fixture(scope="module")
def folded():
    return network_of_seven().fold()


@pytest.fixture
def rewritten(tmp_path):
    """The small file with another passport or another graph."""

    def rewritten(change):
        content = onnx.load(SMALL)
        change(content)
        path = tmp_path / "model.onnx"
        path.write_bytes(content.SerializeToString())
        return path

    return rewritten


@pytest.mark.parametrize("shape", SHAPES, ids=str)
@torch.inference_mode()
def test_value_answers_as_torch_at_every_size(model, folded, shape):
    batch = torch.rand(shape, generator=torch.Generator().manual_seed(0))
    found, wanted = model.engine(batch), folded.decode(folded(batch))
    assert found.keys() == wanted.keys()
    for task, parts in wanted.items():
        assert found[task].keys() == parts.keys()
        for part, values in parts.items():
            torch.testing.assert_close(found[task][part], values, rtol=1e-4, atol=1e-4 * values.abs().max().item())


def test_value_predicts_by_itself(model):
    image = draw_scene(0, 100, 140)[0]
    weights = Model(network_of_seven(), record_of_seven())
    found, wanted = (each.predict(image, confidence=0.3) for each in (model, weights))
    assert len(wanted) > 0
    np.testing.assert_allclose(found.boxes, wanted.boxes, atol=0.05)
    np.testing.assert_array_equal(found.classes, wanted.classes)
    assert found.answers.keys() == wanted.answers.keys()
    assert found.answers["caption"].summary() == wanted.answers["caption"].summary()
    np.testing.assert_allclose(found.answers["pose"].points, wanted.answers["pose"].points, atol=0.1)
    np.testing.assert_allclose(found.answers["embed"].vectors, wanted.answers["embed"].vectors, atol=1e-3)


def test_value_some_tasks(model):
    assert set(model.predict(draw_scene(0)[0], tasks=["tags"]).answers) == {"tags"}


def test_value_it_says_what_it_is(model):
    assert model.exported
    assert model.names == record_of_seven().classes
    assert model.engine.passport.suppression == LIMITS
    assert all(value.is_meta for value in model.network.parameters())


def test_value_boxes_inside_are_those_of_the_rows():
    image = torch.rand(2, 3, 64, 96, generator=torch.Generator().manual_seed(1))
    session = onnxruntime.InferenceSession(SMALL)
    rows, boxes, sources = session.run(["detect/rows", "detect/boxes", "detect/sources"], {"images": image.numpy()})
    assert len(boxes) > 0
    centre = rows[boxes[:, 0].astype(int), sources, :2]
    np.testing.assert_allclose((boxes[:, 1:3] + boxes[:, 3:5]) / 2, centre, atol=1e-3)
    assert set(boxes[:, 0].astype(int)) <= {0, 1}


def test_error_it_cannot_be_changed(model, tmp_path):
    for change in (lambda: model.add(tmp_path / "birds.safetensors"), lambda: model.remove("tags")):
        with pytest.raises(ConfigError, match="cannot be changed"):
            change()


def test_error_missing(tmp_path):
    with pytest.raises(WeightsError, match="no model at"):
        load(tmp_path / "model.onnx")


def test_error_another_format(rewritten):
    def change(content):
        for pair in content.metadata_props:
            pair.value = "99" if pair.key == "tacit_format" else pair.value

    with pytest.raises(WeightsError, match="format '99'"):
        load(rewritten(change))


def test_error_an_output_is_missing(rewritten):
    def change(content):
        del content.graph.output[0]

    with pytest.raises(WeightsError, match="it lacks"):
        load(rewritten(change))


def test_error_record_and_outputs_differ(rewritten):
    def fewer(content):
        told = passport_in(content)
        parts = {task: parts for task, parts in told.parts.items() if task != "tags"}
        described(content, replace(told, parts=parts))

    def more_classes(content):
        told = passport_in(content)
        classes = [*told.record.classes, "star"]
        tasks = {**told.record.tasks, "detect": {"classes": classes}}
        described(content, replace(told, record=replace(told.record, classes=tuple(classes), tasks=tasks)))

    for change in (fewer, more_classes):
        with pytest.raises(WeightsError, match="not those of the network"):
            load(rewritten(change))


def test_error_a_graph_that_does_not_hold_together(rewritten):
    def change(content):
        del content.graph.node[10]

    with pytest.raises(WeightsError, match="onnxruntime cannot load"):
        load(rewritten(change))


def test_error_a_model_nobody_knows():
    passport = read_onnx(SMALL)[1]
    other = Passport.from_strings(
        {**passport.to_strings(), "tacit_record": passport.record.to_json().replace('"debug"', '"yolor-z9"')}
    )
    with pytest.raises(WeightsError, match="does not know"):
        shell(other)


def test_error_a_program_of_torch_has_to_be_trusted(tmp_path):
    (tmp_path / "model.pt2").write_bytes(b"PK\x03\x04")
    with pytest.raises(WeightsError, match=r"can do anything .*trusted=True"):
        load(tmp_path / "model.pt2")
    with pytest.raises(WeightsError, match="cannot be read as a program"):
        load(tmp_path / "model.pt2", trusted=True)


def test_error_a_graph_that_asks_for_too_much():
    text = """<ir_version: 10, opset_import: ["": 18]>
        huge (float[batch, 3, height, width] images) => (float[found] y)
        { shape = Constant <value_ints = [10000000000000]> () y = ConstantOfShape (shape) }"""
    model = onnx.parser.parse_model(text)
    model.graph.output[0].name = model.graph.node[1].output[0] = "tags/tags"
    engine = OnnxEngine(described(model, replace(read_onnx(SMALL)[1], parts={"tags": ("tags",)})).SerializeToString())
    with pytest.raises(WeightsError, match="cannot calculate"):
        engine(torch.zeros(1, 3, 64, 64))


def test_error_no_engine_for_junk():
    with pytest.raises(WeightsError, match="onnxruntime cannot load"):
        OnnxEngine(b"junk")
