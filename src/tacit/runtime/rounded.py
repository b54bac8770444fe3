"""The rule of `predict`: bfloat16 where this machine gains from it, where it pays, and where the answers stay the same.

Nothing goes by the clock, so that the same machine gives the same answers tomorrow.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from tacit.network import Network
from tacit.processor import BFLOAT16_FROM, gains_from_bfloat16
from tacit.runtime.agreement import gaps, too_far
from tacit.runtime.engine import Precision
from tacit.runtime.probe import seen
from tacit.runtime.torch_engine import TorchEngine


def rounded(network: Network, names: tuple[str, ...], size: int) -> TorchEngine | None:
    """The folded network in bfloat16, or None where float32 is better.

    The probe is the sample photographs at half of `size`: a quarter of the work, and rounding is the same.
    """
    if not gains_from_bfloat16(next(network.parameters()).device) or gflops(network, size) < BFLOAT16_FROM:
        return None
    engine = TorchEngine(network, Precision.BF16)
    half = max(network.stride, size // 2 // network.stride * network.stride)
    exact, rough = (seen(network, names, half, each) for each in (None, engine))
    return None if too_far(gaps(exact, rough), Precision.BF16) else engine


@torch.inference_mode()
def gflops(network: Network, size: int) -> float:
    """Of the convolutions for a picture of `size` x `size` pixels, from a small picture's: they go with the area.

    `describe` knows them without a pass; it takes a second to import what that needs.
    """
    work, small = [0], 4 * network.stride

    def count(conv: nn.Module, _: object, output: Tensor) -> None:
        assert isinstance(conv, nn.Conv2d)
        work[0] += 2 * output.numel() * conv.weight[0].numel()

    hooks = [part.register_forward_hook(count) for part in network.modules() if isinstance(part, nn.Conv2d)]
    try:
        network(torch.zeros(1, 3, small, small, device=next(network.parameters(), torch.empty(0)).device))
    finally:
        for hook in hooks:
            hook.remove()
    return work[0] * (size / small) ** 2 / 1e9
