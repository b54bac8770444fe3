"""Suppression inside of a graph: the boxes and rows that `geometry.nms.suppress` gives, in every engine."""

import numpy as np
import pytest
import torch

from tacit.errors import ConfigError
from tacit.geometry.nms import suppress
from tacit.runtime.openvino_core import core
from tacit.runtime.openvino_engine import read_model
from tacit.runtime.passport import Passport
from tacit.runtime.suppression_nodes import BOXES, SOURCES, suppression_graph, with_suppression
from tacit.thresholds import Thresholds
from tacit.weights.record import Record

onnx = pytest.importorskip("onnx")
onnxruntime = pytest.importorskip("onnxruntime")

LIMITS = Thresholds(confidence=0.3, iou=0.5, max_detections=20)
CASES = {  # images, rows, classes, greatest chance
    "one photograph": (1, 400, 3, 1.0),
    "a batch": (3, 300, 5, 1.0),
    "more than may be found": (2, 900, 2, 1.0),
    "some photographs without a box": (4, 4, 1, 0.8),
    "nothing at all": (2, 50, 2, 0.2),
    "one row": (1, 1, 1, 1.0),
}


def decoded(images, rows, classes, peak):
    generator = torch.Generator().manual_seed(rows)
    centre, size = (
        torch.rand(images, rows, 2, generator=generator) * 60,
        torch.rand(images, rows, 2, generator=generator),
    )
    chances = torch.rand(images, rows, 1 + classes, generator=generator) * peak**0.5
    return torch.cat([centre, size * 30 + 4, chances], -1)


def expected(rows):
    found = [suppress(image, confidence=0.3, iou=0.5, max_detections=20) for image in rows]
    numbered = [torch.cat([torch.full((len(boxes), 1), float(i)), boxes], 1) for i, (boxes, _) in enumerate(found)]
    return torch.cat(numbered).numpy(), torch.cat([sources for _, sources in found]).numpy()


def alone(values):
    """The nodes alone: rows of that many values in, boxes out."""
    model = suppression_graph(LIMITS)
    model.graph.input[0].type.tensor_type.shape.dim[2].dim_value = values  # as any detector knows it
    onnx.checker.check_model(model, full_check=True)
    return model.SerializeToString()


def run_onnx(content, rows):
    return onnxruntime.InferenceSession(content).run([BOXES, SOURCES], {"detect/rows": rows})


def run_openvino(content, rows):
    pytest.importorskip("openvino")
    found = core().compile_model(read_model(content), "CPU", {"INFERENCE_PRECISION_HINT": "f32"})({0: rows})
    return found[0], found[1]


@pytest.mark.parametrize("engine", [run_onnx, run_openvino])
@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_value_as_suppress(engine, case):
    rows = decoded(*case)
    boxes, sources = engine(alone(rows.shape[2]), rows.numpy())
    wanted, from_rows = expected(rows)
    np.testing.assert_allclose(boxes, wanted, atol=1e-5)
    np.testing.assert_array_equal(sources, from_rows)


def test_error_nothing_to_suppress():
    record = Record(model="debug", classes=("a",), input_size=64, tasks={"tags": {"names": ["a"], "single": False}})
    model = onnx.parser.parse_model(
        '<ir_version: 10, opset_import: ["": 18]> g (float[n] x) => (float[n] y) { y = Neg (x) }'
    )
    for key, value in Passport(record=record, stride=32, parts={"tags": ("tags",)}).to_strings().items():
        model.metadata_props.add(key=key, value=value)
    with pytest.raises(ConfigError, match="no boxes to suppress"):
        with_suppression(model, LIMITS)
