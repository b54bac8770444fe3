"""What may be asked for: an engine and a precision, or the best of them."""

from __future__ import annotations

from enum import Enum
from typing import TypeVar

from tacit.errors import ConfigError
from tacit.runtime.engine import Precision


class EngineKind(Enum):
    """By whom the network is calculated."""

    AUTO = "auto"
    TORCH = "torch"
    ONNXRUNTIME = "onnxruntime"
    OPENVINO = "openvino"
    TENSORRT = "tensorrt"


class PrecisionKind(Enum):
    """In what the network is calculated."""

    AUTO = "auto"
    FP32 = "fp32"
    BF16 = "bf16"
    INT8 = "int8"

    def admits(self, precision: Precision) -> bool:
        """Whether that is what was asked for."""
        return self is PrecisionKind.AUTO or self.value == precision.value


K = TypeVar("K", EngineKind, PrecisionKind)


def meant(kind: type[K], wish: K | str) -> K:
    """The one of that name. Raises ConfigError where there is none."""
    names = [member.value for member in kind]
    if isinstance(wish, str):
        if wish not in names:
            what = "engine" if kind is EngineKind else "precision"
            raise ConfigError(f"there is no {what} {wish!r}", allowed=", ".join(names))
        return kind(wish)
    return wish
