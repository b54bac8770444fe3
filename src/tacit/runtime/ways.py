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
        self.require()  # known before a minute of exporting
        return self.run(exported(network, record))

    def run(self, content: bytes) -> Engine:
        """The engine for an exported network, as ONNX. Raises ConfigError where a package is missing."""
        return OnnxEngine(content) if self.kind is EngineKind.ONNXRUNTIME else OpenVinoEngine(content, self.precision)

    def installed(self) -> bool:
        """Whether all packages are here that it needs."""
        return all(map(find_spec, PACKAGES[self.kind]))

    def require(self) -> None:
        """Raises ConfigError where a package is missing."""
        if not self.installed():
            fix = f"pip install 'tacit[{EXTRAS[self.kind]}]', or choose another engine"
            raise ConfigError(f"the engine {self.kind.value} is not installed", fix=fix)

    def __str__(self) -> str:
        return f"{self.kind.value} {self.precision.value}"


WAYS = (
    Way(EngineKind.TORCH, Precision.FP32),
    Way(EngineKind.TORCH, Precision.BF16),
    Way(EngineKind.ONNXRUNTIME, Precision.FP32),
    Way(EngineKind.OPENVINO, Precision.FP32),
    Way(EngineKind.OPENVINO, Precision.BF16),
)
"""Of weights."""
INT8_WAYS = (Way(EngineKind.ONNXRUNTIME, Precision.INT8), Way(EngineKind.OPENVINO, Precision.INT8))
"""Of an exported int8 model."""


def ways_of(engine: Engine | None) -> tuple[Way, ...]:
    """What is possible with weights (no engine), or with an exported model that this engine was made of."""
    if engine is None:
        return WAYS
    if not isinstance(engine, OnnxEngine | OpenVinoEngine):
        return (Way(EngineKind.TORCH, engine.precision),)
    kinds = {EngineKind.OPENVINO, EngineKind.ONNXRUNTIME if isinstance(engine, OnnxEngine) else EngineKind.OPENVINO}
    return tuple(way for way in (INT8_WAYS if engine.precision is Precision.INT8 else WAYS) if way.kind in kinds)


def fitting(possible: tuple[Way, ...], engine: EngineKind, precision: PrecisionKind) -> list[Way]:
    """The ways that fit a wish. What is named is taken at its word; of what is not, only what this machine has.

    Raises ConfigError where there is none.
    """
    if engine is EngineKind.TENSORRT:
        raise _no_tensorrt()
    if precision is PrecisionKind.INT8 and not any(precision.admits(way.precision) for way in possible):
        fix = "tacit export WEIGHTS --precision int8 --data FOLDER makes a model that is, to be loaded like weights"
        raise ConfigError("these weights are not in int8", fix=fix)
    named = [way for way in possible if engine in {EngineKind.AUTO, way.kind}]
    ways = [way for way in named if precision.admits(way.precision)]
    if not ways:
        asked, allowed = f"{engine.value} {precision.value}", ", ".join(map(str, possible))
        raise ConfigError(f"{asked} is not possible here", allowed=allowed)
    if engine is EngineKind.AUTO:
        ways = [way for way in ways if way.installed()]
    if precision is PrecisionKind.AUTO and not has_bfloat16():
        ways = [way for way in ways if way.precision is not Precision.BF16]
    return ways


def _no_tensorrt() -> ConfigError:
    if not torch.cuda.is_available():
        return ConfigError("the engine tensorrt needs an NVIDIA GPU, and there is none", fix="choose another engine")
    return ConfigError("this version of tacit cannot run tensorrt by itself", fix="choose another engine")
