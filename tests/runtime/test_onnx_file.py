"""ONNX files from elsewhere: what they may hold, and what is refused."""

import pytest
from seven import record_of_seven

from tacit.errors import WeightsError
from tacit.runtime.onnx_export import described
from tacit.runtime.onnx_file import read_onnx
from tacit.runtime.passport import Passport

onnx = pytest.importorskip("onnx")

PLAIN = """
<ir_version: 10, opset_import: ["": 18]>
plain (float[batch, 3, height, width] images) => (float[batch, 3, height, width] rows)
{ rows = Neg (images) }
"""
BRANCH = """
<ir_version: 10, opset_import: ["": 18, "elsewhere": 1]>
branch (float[batch, 3, height, width] images) => (float[batch, 3, height, width] rows)
{
    yes = Constant <value = bool {1}> ()
    rows = If (yes) <
        then_branch = inner () => (float[batch, 3, height, width] y) { y = elsewhere.Own (images) },
        else_branch = outer () => (float[batch, 3, height, width] z) { z = Neg (images) }
    >
}
"""


@pytest.fixture
def write(tmp_path):
    def write(text, change=None):
        model = onnx.parser.parse_model(text)
        model.graph.output[0].name = "detect/rows"
        for node in model.graph.node:
            node.output[:] = ["detect/rows" if name == "rows" else name for name in node.output]
        passport = Passport(record=record_of_seven(), stride=32, parts={"detect": ("rows",)})
        described(model, passport)
        if change:
            change(model)
        path = tmp_path / "model.onnx"
        path.write_bytes(model.SerializeToString())
        return path

    return write


def outside(model):
    weight = onnx.helper.make_tensor("weight", onnx.TensorProto.FLOAT, [1], [1.0])
    weight.ClearField("float_data")
    weight.data_location = onnx.TensorProto.EXTERNAL
    weight.external_data.add(key="location", value="../../secret")
    return weight


def test_value_a_plain_one(write):
    content, passport = read_onnx(write(PLAIN))
    assert passport.outputs == ("detect/rows",)
    assert onnx.load_from_string(content).graph.output[0].name == "detect/rows"


def test_value_other_outputs_are_left_out(write):
    content, _ = read_onnx(write(PLAIN, lambda model: model.graph.output.add(name="detect/boxes")))
    assert [output.name for output in onnx.load_from_string(content).graph.output] == ["detect/rows"]


def test_error_weights_in_another_file(write):
    path = write(PLAIN, lambda model: model.graph.initializer.append(outside(model)))
    with pytest.raises(WeightsError, match="from another file"):
        read_onnx(path)


def test_error_constants_in_another_file(write):
    def change(model):
        node = model.graph.node.add(op_type="Constant", output=["weight"])
        node.attribute.append(onnx.helper.make_attribute("value", outside(model)))

    with pytest.raises(WeightsError, match="from another file"):
        read_onnx(write(PLAIN, change))


@pytest.mark.parametrize("text", [BRANCH, PLAIN], ids=["inside of a branch", "plainly"])
def test_error_operators_of_elsewhere(write, text):
    def change(model):
        model.graph.node[0].domain = model.graph.node[0].domain or ("elsewhere" if text == PLAIN else "")

    with pytest.raises(WeightsError, match="beyond the standard: elsewhere"):
        read_onnx(write(text, change))


def test_error_functions_of_its_own(write):
    def change(model):
        model.functions.add(name="Neg", domain="")

    with pytest.raises(WeightsError, match="functions of its own"):
        read_onnx(write(PLAIN, change))


def test_error_no_passport(write):
    with pytest.raises(WeightsError, match="says nothing of tacit"):
        read_onnx(write(PLAIN, lambda model: model.ClearField("metadata_props")))


@pytest.mark.parametrize("content", [b"", b"no model at all", b"\x08\x08"], ids=["empty", "junk", "no graph"])
def test_error_no_model(tmp_path, content):
    path = tmp_path / "model.onnx"
    path.write_bytes(content)
    with pytest.raises(WeightsError, match=r"cannot be read as an ONNX model|without a graph"):
        read_onnx(path)


def test_error_cut_off(write):
    path = write(PLAIN)
    path.write_bytes(path.read_bytes()[:-40])
    with pytest.raises(WeightsError):
        read_onnx(path)
