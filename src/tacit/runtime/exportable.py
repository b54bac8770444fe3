"""A network as exporters want it: one input, a flat list of named outputs, all that is dynamic named."""

from __future__ import annotations

import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from jaxtyping import Float32
from torch import Tensor, nn
from torch.export import Dim

from tacit.network import Network
from tacit.runtime.passport import passport_of
from tacit.weights.record import Record

INPUT = "images"
LARGEST = 16384  # pixels a side


class Exportable(nn.Module):
    """The folded network and its decoder in one: pictures (b, 3, h, w) in [0, 1] to the outputs of the passport."""

    def __init__(self, network: Network, record: Record) -> None:
        super().__init__()
        self.network = network.fold().cpu().float()
        with torch.inference_mode():
            answers = self.network.decode(self.network(self.example()))
        self.passport = passport_of(network, record, {task: tuple(parts) for task, parts in answers.items()})

    @property
    def stride(self) -> int:
        return self.network.stride

    def forward(self, images: Float32[Tensor, "b 3 h w"]) -> tuple[Tensor, ...]:
        """What the tasks answer, in the passport's order."""
        answers = self.network.decode(self.network(images))
        return tuple(answers[task][part] for task, parts in self.passport.parts.items() for part in parts)

    def example(self) -> Tensor:
        """Pictures to trace with: no two of their sizes are alike, and none is 1."""
        return torch.zeros(2, 3, 3 * self.stride, 4 * self.stride)

    def dynamic(self) -> dict[str, Any]:
        """What may change from call to call: how many pictures there are, and how many strides their sides have."""
        most = LARGEST // self.stride
        high, wide = Dim("high", min=1, max=most), Dim("wide", min=1, max=most)
        return {INPUT: {0: Dim("batch", min=1, max=2**16), 2: self.stride * high, 3: self.stride * wide}}


@contextmanager
def quietly() -> Iterator[None]:
    """Without what torch's exporters say of themselves: of torchvision, which nobody needs, and of their own code."""
    log = logging.getLogger("torch.onnx")
    level = log.level
    log.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", message=".*isinstance.treespec, LeafSpec.", category=FutureWarning)
            yield
    finally:
        log.setLevel(level)
