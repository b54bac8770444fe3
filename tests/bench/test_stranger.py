"""Other ONNX models: what they take is found out, and what cannot be compared is refused in one sentence."""

import numpy as np
import pytest

from tacit.errors import WeightsError

onnx = pytest.importorskip("onnx")
pytest.importorskip("onnxruntime")

from onnx import TensorProto, helper  # noqa: E402

from tacit.bench.stranger import Stranger  # noqa: E402

IMAGE = np.full((30, 60, 3), 51, np.uint8)


def model(path, shape, kind=TensorProto.FLOAT, *, inputs=1, reshape=None):
    """One that adds its inputs up, and reshapes them where it is told to."""
    names = [f"in{number}" for number in range(inputs)]
    nodes = [helper.make_node("Sum", names, ["sum"])]
    initial = []
    if reshape:
        initial = [helper.make_tensor("to", TensorProto.INT64, [len(reshape)], reshape)]
        nodes.append(helper.make_node("Reshape", ["sum", "to"], ["out"]))
    else:
        nodes.append(helper.make_node("Identity", ["sum"], ["out"]))
    taken = [helper.make_tensor_value_info(name, kind, shape) for name in names]
    graph = helper.make_graph(nodes, "g", taken, [helper.make_tensor_value_info("out", kind, None)], initial)
    made = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    onnx.save(made, path)
    return path


@pytest.mark.parametrize(
    ("shape", "size"),
    [((1, 3, 32, 64), (32, 64)), (("N", 3, "H", "W"), (96, 96)), ((None, 3, 32, None), (32, 96))],
)
def test_value_of_its_size(tmp_path, shape, size):
    stranger = Stranger(model(tmp_path / "x.onnx", shape), 96)
    assert stranger.size == size
    assert stranger.label == "x.onnx"
    seconds = stranger.seconds(IMAGE)
    assert list(seconds) == ["preprocess", "forward"]
    assert min(seconds.values()) > 0


def test_value_of_what_it_gets(tmp_path):
    batch = Stranger(model(tmp_path / "x.onnx", (1, 3, 64, 64)), 32)._batch(IMAGE)
    assert batch.shape == (1, 3, 64, 64)
    assert batch.dtype == np.float32
    assert batch[0, 0, 32, 32] == pytest.approx(0.2)
    half = Stranger(model(tmp_path / "y.onnx", (1, 3, 64, 64), TensorProto.FLOAT16), 32)._batch(IMAGE)
    assert half.dtype == np.float16


@pytest.mark.parametrize(
    ("shape", "more"),
    [((1, 3, 64), {}), ((1, 4, 64, 64), {}), ((2, 3, 64, 64), {}), ((1, 3, 64, 64), {"inputs": 2})],
    ids=["three axes", "four colours", "two photographs", "two inputs"],
)
def test_error_of_other_inputs(tmp_path, shape, more):
    with pytest.raises(WeightsError, match="does not take one photograph: its inputs are in0"):
        Stranger(model(tmp_path / "x.onnx", shape, **more), 64)


def test_error_of_another_type(tmp_path):
    with pytest.raises(WeightsError, match="does not take one photograph"):
        Stranger(model(tmp_path / "x.onnx", (1, 3, 64, 64), TensorProto.DOUBLE), 64)


def test_error_of_a_size_that_it_fails_on(tmp_path):
    path = model(tmp_path / "x.onnx", (1, 3, "H", "W"), reshape=[1, 3, 64, 64])
    assert Stranger(path, 64).size == (64, 64)
    with pytest.raises(WeightsError, match=r"fails on 96 x 96 pixels .*another --size"):
        Stranger(path, 96)


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04", b"\x08\x08\x12"], ids=["empty", "zip", "cut"])
def test_error_of_a_corrupt_file(tmp_path, content):
    (tmp_path / "x.onnx").write_bytes(content)
    with pytest.raises(WeightsError, match=r"x\.onnx"):
        Stranger(tmp_path / "x.onnx", 64)


def test_error_of_a_file_that_is_not_there(tmp_path):
    with pytest.raises(WeightsError, match="there is no model at"):
        Stranger(tmp_path / "gone.onnx", 64)
