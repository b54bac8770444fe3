"""The engine that is always there."""

from __future__ import annotations

from collections.abc import Collection
from copy import copy, deepcopy

import torch
from jaxtyping import Float32
from torch import Tensor

from tacit.network import Network, Outputs
from tacit.runtime.engine import Answers, Engine, Precision


class TorchEngine(Engine):
    """The network itself, or a copy of it in bfloat16; decoding is in float32 either way.

    Nothing is changed of a network in float32, its memory format neither: one in `torch.channels_last` gets its
    pictures so. The copy is in channels-last, where the kernels of bfloat16 are at home. Networks on a GPU are
    calculated there by the same lines.
    """

    def __init__(self, network: Network, precision: Precision = Precision.FP32) -> None:
        assert precision is not Precision.INT8
        self.precision, self.decoder, self.network = precision, network.eval(), network
        if precision is Precision.BF16:
            rounded = deepcopy(network).to(torch.bfloat16)
            self.network = rounded.to(memory_format=torch.channels_last)  # type: ignore[call-overload]

    @property
    def device(self) -> torch.device:
        return next(self.network.parameters()).device

    @property
    def at_once(self) -> int:
        return torch.get_num_threads() if self.device.type == "cpu" else 1

    def only(self, tasks: Collection[str]) -> TorchEngine:
        """The same engine for these tasks and those they need: weights are shared, other heads are not calculated."""
        part = copy(self)
        part.network, part.decoder = self.network.only(tasks), self.decoder.only(tasks)
        return part

    @torch.inference_mode()
    def __call__(self, batch: Float32[Tensor, "b 3 h w"]) -> Answers:
        outputs: Outputs = self.network(batch.to(next(self.network.parameters()).dtype))
        if self.precision is Precision.BF16:
            outputs = {name: [part.float() for part in raw] for name, raw in outputs.items()}
        return self.decoder.decode(outputs)
