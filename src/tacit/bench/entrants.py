"""Who takes part: an engine in a precision each, as they are installed or asked for."""

from __future__ import annotations

from collections.abc import Sequence
from importlib.util import find_spec

import torch
from jaxtyping import Float32
from torch import Tensor

from tacit.errors import ConfigError
from tacit.processor import has_bfloat16
from tacit.runtime.engine import Answers, Precision
from tacit.runtime.torch_engine import TorchEngine
from tacit.runtime.ways import WAYS, Way
from tacit.runtime.wish import EngineKind, PrecisionKind

INT8 = Way(EngineKind.OPENVINO, Precision.INT8)
"""Made of the weights on the spot, measured on the sample photographs: as fast as one that is measured on more."""


class Eager(TorchEngine):
    """A folded network as plain PyTorch has it: float32, channels first."""

    @torch.inference_mode()
    def __call__(self, batch: Float32[Tensor, "b 3 h w"]) -> Answers:
        return super().__call__(batch.contiguous())


def entrants(engines: Sequence[EngineKind] = (), precisions: Sequence[PrecisionKind] = ()) -> list[Way]:
    """The ways of these engines in these precisions; of what is not named (or `auto`), those that this machine has.

    Raises ConfigError where nothing is left, or what is named is not installed.
    """
    some_engine = not engines or EngineKind.AUTO in engines
    some_precision = not precisions or PrecisionKind.AUTO in precisions
    ways = [way for way in (*WAYS, INT8) if way.kind in engines or (some_engine and way.installed())]
    ways = [way for way in ways if _named(way, precisions) or (some_precision and _at_hand(way))]
    if not ways:
        asked = ", ".join(each.value for each in (*engines, *precisions))
        raise ConfigError(f"there is nothing to measure for {asked}", allowed=", ".join(map(str, (*WAYS, INT8))))
    for way in ways:
        way.require()
    return ways


def _named(way: Way, precisions: Sequence[PrecisionKind]) -> bool:
    return any(kind is not PrecisionKind.AUTO and kind.admits(way.precision) for kind in precisions)


def _at_hand(way: Way) -> bool:
    """Nothing that the processor would only imitate, or that cannot be made here."""
    if way.precision is Precision.INT8:
        return find_spec("nncf") is not None
    return way.precision is not Precision.BF16 or has_bfloat16()
