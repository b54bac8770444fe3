"""A network as exporters want it: one input, a flat list of named outputs, all that is dynamic named.

Tracing reasons about sizes as formulas, and most of its time goes there. Those of a 3x3 convolution of stride 2 with a
border all round are floors of floors; without the border's right and lower side, which no even picture needs, they are
plain halves. So `plain` replaces these convolutions, and an exporter may write the common border again.
"""

from __future__ import annotations

import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from jaxtyping import Float, Float32
from torch import Tensor, nn
from torch.nn import functional

from tacit.network import Network, Outputs
from tacit.runtime.engine import Precision
from tacit.runtime.passport import Passport, passport_of
from tacit.weights.record import Record

INPUT = "images"
LARGEST = 16384  # pixels a side


class Halving(nn.Module):
    """A 3x3 convolution of stride 2 on pictures of even sides."""

    def __init__(self, conv: nn.Conv2d) -> None:
        super().__init__()
        self.weight, self.bias, self.groups = conv.weight, conv.bias, conv.groups

    def forward(self, x: Float[Tensor, "b c h w"]) -> Float[Tensor, "b out h2 w2"]:
        return functional.conv2d(functional.pad(x, (1, 0, 1, 0)), self.weight, self.bias, 2, groups=self.groups)


class Exportable(nn.Module):
    """The folded network and its decoder in one: pictures (b, 3, h, w) in [0, 1] to the outputs of the passport.

    In bfloat16 only the network is; pictures, decoding and answers are float32.
    """

    def __init__(self, network: Network, record: Record, precision: Precision = Precision.FP32) -> None:
        super().__init__()
        assert precision is not Precision.INT8
        folded = network.fold().cpu()
        self.kind = torch.float32 if precision is Precision.FP32 else torch.bfloat16
        self.decoder, self.network = folded.float(), folded.float()
        if precision is Precision.BF16:
            self.network = network.fold().cpu().bfloat16()
        with torch.inference_mode():
            answers = self._answers(self.example())
        parts = {task: tuple(decoded) for task, decoded in answers.items()}
        self.passport: Passport = passport_of(network, record, parts, precision)

    def forward(self, images: Float32[Tensor, "b 3 h w"]) -> tuple[Tensor, ...]:
        """What the tasks answer, in the passport's order."""
        answers = self._answers(images)
        return tuple(answers[task][part] for task, parts in self.passport.parts.items() for part in parts)

    def plain(self) -> Exportable:
        """The same, halving pictures in plain halves from now on."""
        for name, conv in list(self.network.named_modules()):
            if isinstance(conv, nn.Conv2d) and is_halving(conv):
                parent, _, own = name.rpartition(".")
                setattr(self.network.get_submodule(parent), own, Halving(conv))
        return self

    def example(self) -> Tensor:
        """Pictures to trace with: no two of their sizes are alike, and none is 1."""
        return torch.zeros(2, 3, 3 * self.decoder.stride, 4 * self.decoder.stride)

    def dynamic(self) -> dict[str, Any]:
        """What may change from call to call: how many pictures there are, and how many strides their sides have."""
        from torch.export import Dim  # takes long to import, and only exporting needs it

        stride = self.decoder.stride
        high, wide = Dim("high", min=1, max=LARGEST // stride), Dim("wide", min=1, max=LARGEST // stride)
        return {INPUT: {0: Dim("batch", min=1, max=2**16), 2: stride * high, 3: stride * wide}}

    def _answers(self, images: Tensor) -> dict[str, dict[str, Tensor]]:
        outputs: Outputs = self.network(images.to(self.kind))
        if self.kind is not torch.float32:
            outputs = {name: [part.float() for part in raw] for name, raw in outputs.items()}
        return self.decoder.decode(outputs)


def is_halving(conv: nn.Conv2d) -> bool:
    """Whether it is a 3x3 convolution of stride 2 with a border all round."""
    shape = (conv.kernel_size, conv.stride, conv.padding, conv.dilation)
    return shape == ((3, 3), (2, 2), (1, 1), (1, 1))


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
