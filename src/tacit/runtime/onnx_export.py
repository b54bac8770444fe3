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

OPSET = 20


def to_onnx(network: Network, record: Record) -> ModelProto:
    """The folded network as an ONNX graph of standard operators, on the CPU, in float32.

    Input `images` (batch, 3, height, width) in [0, 1], RGB, sides multiples of the stride; outputs are called
    "task/part", such as "detect/rows". Raises ConfigError where the extra `onnx` is missing.
    """
    require_onnx()
    whole = Exportable(network, record)
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
    return described(program.model_proto, whole.passport)


def described(model: ModelProto, passport: Passport) -> ModelProto:
    """The model with this passport instead of what it said before."""
    del model.metadata_props[:]
    for key, value in passport.to_strings().items():
        model.metadata_props.add(key=key, value=value)
    return model


def require_onnx() -> None:
    """Raises ConfigError where the extra is missing."""
    try:
        import onnx
        import onnxscript  # noqa: F401
    except ImportError as error:
        raise ConfigError("exporting needs onnx and onnxscript", fix="pip install 'tacit[onnx]'") from error
    assert onnx
