"""Networks as ONNX: forward and decode in one graph, every size dynamic, described by a passport."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

from tacit.errors import ConfigError
from tacit.network import Network
from tacit.runtime.exportable import INPUT, Exportable, quietly
from tacit.runtime.passport import Passport
from tacit.weights.record import Record

if TYPE_CHECKING:
    from onnx import ModelProto

OPSET = 18
"""The one that torch writes; another would be converted into."""
SIZES = ("batch", "colour", "height", "width")
BORDERS = {(1, 1, 0, 0): (1, 1, 1, 1)}  # what `Exportable.plain` makes of a border, and the common one in its place


def to_onnx(network: Network, record: Record) -> ModelProto:
    """The folded network as an ONNX graph of standard operators, on the CPU, in float32.

    Input `images` (batch, 3, height, width) in [0, 1], RGB, sides multiples of the stride; outputs are called
    "task/part", such as "detect/rows". Raises ConfigError where the extra `onnx` is missing.
    """
    require_onnx()
    whole = Exportable(network, record).plain()
    with quietly():
        program = torch.onnx.export(
            whole.eval(),
            (whole.example(),),
            dynamo=True,
            input_names=[INPUT],
            output_names=list(whole.passport.outputs),
            dynamic_shapes=whole.dynamic(),
            opset_version=OPSET,
            external_data=False,
            verbose=False,
        )
    assert program is not None
    return described(_tidied(program.model_proto), whole.passport)


def described(model: ModelProto, passport: Passport) -> ModelProto:
    """The model with this passport instead of what it said before."""
    del model.metadata_props[:]
    for key, value in passport.to_strings().items():
        model.metadata_props.add(key=key, value=value)
    return model


def passport_in(model: ModelProto) -> Passport:
    """What the model says of itself. Raises WeightsError where that is nothing of ours."""
    return Passport.from_strings({pair.key: pair.value for pair in model.metadata_props})


def require_onnx() -> None:
    """Raises ConfigError where the extra is missing."""
    try:
        import onnx
        import onnxscript
    except ImportError as error:
        raise ConfigError("exporting needs onnx and onnxscript", fix="pip install 'tacit[onnx]'") from error
    assert onnx and onnxscript  # noqa: PT018


def _tidied(model: ModelProto) -> ModelProto:
    """Without notes on where in whose folder the code of every node stands; with common borders and names of sizes."""
    for dimension, name in zip(model.graph.input[0].type.tensor_type.shape.dim, SIZES, strict=True):
        if not dimension.dim_value:
            dimension.dim_param = name
    for node in model.graph.node:
        del node.metadata_props[:]
        node.doc_string = ""
        for attribute in node.attribute:
            if node.op_type == "Conv" and attribute.name == "pads":
                attribute.ints[:] = BORDERS.get(tuple(attribute.ints), tuple(attribute.ints))
    for value in (*model.graph.value_info, *model.graph.input, *model.graph.output, *model.graph.initializer):
        if hasattr(value, "metadata_props"):
            del value.metadata_props[:]
    del model.graph.metadata_props[:]
    return model
