"""The engine that is always there."""

from __future__ import annotations

from copy import deepcopy

import torch
from jaxtyping import Float32
from torch import Tensor

from tacit.network import Network, Outputs
from tacit.runtime.engine import Answers, Engine, Precision


class TorchEngine(Engine):
    """The network itself, or a copy of it in bfloat16; decoding is in float32 either way.

    Nothing is changed of a network in float32, its memory format neither: one in `torch.channels_last` gets its
    pictures so.
    """

    def __init__(self, network: Network, precision: Precision = Precision.FP32) -> None:
        assert precision is not Precision.INT8
        self.precision, self.decoder = precision, network.eval()
        self.network = network if precision is Precision.FP32 else deepcopy(network).to(torch.bfloat16)

    @property
    def device(self) -> torch.device:
        return next(self.network.parameters()).device

    @torch.inference_mode()
    def __call__(self, batch: Float32[Tensor, "b 3 h w"]) -> Answers:
        outputs: Outputs = self.network(batch.to(next(self.network.parameters()).dtype))
        if self.precision is Precision.BF16:
            outputs = {name: [part.float() for part in raw] for name, raw in outputs.items()}
        return self.decoder.decode(outputs)
