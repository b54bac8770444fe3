"""The ways to calculate a network: an engine with a precision each."""

from __future__ import annotations

from dataclasses import dataclass
from importlib.util import find_spec

import torch

from tacit.errors import ConfigError
from tacit.network import Network
from tacit.processor import has_bfloat16
from tacit.runtime.engine import Engine, Precision
from tacit.runtime.exports import exported
from tacit.runtime.onnx_engine import OnnxEngine
from tacit.runtime.openvino_engine import OpenVinoEngine
from tacit.runtime.torch_engine import TorchEngine
from tacit.runtime.wish import EngineKind, PrecisionKind
from tacit.weights.record import Record

PACKAGES = {
    EngineKind.TORCH: (),
    EngineKind.ONNXRUNTIME: ("onnx", "onnxscript", "onnxruntime"),
    EngineKind.OPENVINO: ("onnx", "onnxscript", "openvino"),
}
EXTRAS = {EngineKind.ONNXRUNTIME: "onnx", EngineKind.OPENVINO: "openvino"}


@dataclass(frozen=True)
class Way:
    """An engine and what it calculates in."""

    kind: EngineKind
    precision: Precision

    def build(self, network: Network, record: Record) -> Engine:
        """The engine for a folded network. Raises ConfigError where a package is missing."""
        if self.kind is EngineKind.TORCH:
            return TorchEngine(network, self.precision)
        if not self.installed():  # known before a minute of exporting
            fix = f"pip install 'tacit[{EXTRAS[self.kind]}]', or choose another engine"
            raise ConfigError(f"the engine {self.kind.value} is not installed", fix=fix)
        content = exported(network, record)
        return OnnxEngine(content) if self.kind is EngineKind.ONNXRUNTIME else OpenVinoEngine(content, self.precision)

    def installed(self) -> bool:
        """Whether all packages are here that it needs."""
        return all(find_spec(package) for package in PACKAGES[self.kind])

    def __str__(self) -> str:
        return f"{self.kind.value} {self.precision.value}"


WAYS = (
    Way(EngineKind.TORCH, Precision.FP32),
    Way(EngineKind.TORCH, Precision.BF16),
    Way(EngineKind.ONNXRUNTIME, Precision.FP32),
    Way(EngineKind.OPENVINO, Precision.FP32),
    Way(EngineKind.OPENVINO, Precision.BF16),
)


def fitting(engine: EngineKind, precision: PrecisionKind) -> list[Way]:
    """The ways that fit a wish. What is named is taken at its word; of what is not, only what this machine has.

    Raises ConfigError where there is none.
    """
    if precision is PrecisionKind.INT8:
        fix = "tacit export WEIGHTS --precision int8 --data FOLDER makes a model that is, to be loaded like weights"
        raise ConfigError("these weights are not in int8", fix=fix)
    if engine is EngineKind.TENSORRT:
        raise _no_tensorrt()
    named = [way for way in WAYS if engine in {EngineKind.AUTO, way.kind}]
    ways = [way for way in named if precision.admits(way.precision)]
    if not ways:
        allowed = ", ".join(way.precision.value for way in named)
        raise ConfigError(f"the engine {engine.value} does not calculate in {precision.value}", allowed=allowed)
    if engine is EngineKind.AUTO:
        ways = [way for way in ways if way.installed()]
    if precision is PrecisionKind.AUTO and not has_bfloat16():
        ways = [way for way in ways if way.precision is not Precision.BF16]
    return ways


def _no_tensorrt() -> ConfigError:
    if not torch.cuda.is_available():
        return ConfigError("the engine tensorrt needs an NVIDIA GPU, and there is none", fix="choose another engine")
    return ConfigError("this version of tacit cannot run tensorrt by itself", fix="choose another engine")
