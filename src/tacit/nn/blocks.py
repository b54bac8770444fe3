"""The blocks of the published models: convolution, CSP stages, spatial pyramid pooling, stems.

Wiring as in the reference: every convolution but the detection one has batch norm and an activation, and a CSP stage
concatenates [main, bypass]. Sums of shortcuts are not activated.
"""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional

from tacit.nn.batch_norm import BatchNorm

BN_EPS, BN_MOMENTUM = 1e-4, 0.03  # of the published models trained from configuration files


class ConvBNAct(nn.Sequential):
    """Convolution without bias, batch norm, SiLU; padding keeps the size at stride 1."""

    def __init__(self, channels: int, out: int, kernel: int = 1, stride: int = 1) -> None:
        super().__init__()
        self.conv = nn.Conv2d(channels, out, kernel, stride, padding=kernel // 2, bias=False)
        self.bn = BatchNorm(out, eps=BN_EPS, momentum=BN_MOMENTUM)
        self.act = nn.SiLU(inplace=True)


class ReOrg(nn.Module):
    """Space to depth: half the size, four times the channels, nothing lost.

    Channels are [even rows even columns, odd rows even columns, even rows odd columns, odd odd].
    """

    def forward(self, x: Float[Tensor, "b c h w"]) -> Float[Tensor, "b c4 h2 w2"]:
        return torch.cat([x[..., ::2, ::2], x[..., 1::2, ::2], x[..., ::2, 1::2], x[..., 1::2, 1::2]], dim=1)


class DWT(nn.Module):
    """Haar wavelets, the other published stem: half the size, four times the channels, nothing lost.

    Of each 2x2 block the mean, for all channels, then channel by channel the differences of its rows, columns and
    diagonals, a quarter of them around 0.5 (official_models, section 4).
    """

    def forward(self, x: Float[Tensor, "b c h w"]) -> Float[Tensor, "b c4 h2 w2"]:
        a, b, c, d = x[..., ::2, ::2], x[..., ::2, 1::2], x[..., 1::2, ::2], x[..., 1::2, 1::2]
        differences = torch.stack([a + b - c - d, a - b + c - d, a - b - c + d], dim=2)
        return torch.cat([(a + b + c + d) / 4, differences.flatten(1, 2) / 4 + 0.5], dim=1)


class Bottleneck(nn.Module):
    """1x1 then 3x3 convolution of the same width, with or without the shortcut around them."""

    def __init__(self, channels: int, *, shortcut: bool) -> None:
        super().__init__()
        self.reduce = ConvBNAct(channels, channels)
        self.spread = ConvBNAct(channels, channels, 3)
        self.shortcut = shortcut

    def forward(self, x: Float[Tensor, "b c h w"]) -> Float[Tensor, "b c h w"]:
        y: Tensor = self.spread(self.reduce(x))
        return x + y if self.shortcut else y


class CSP(nn.Module):
    """Cross stage partial: half of the width goes through `depth` bottlenecks, half around them."""

    def __init__(self, channels: int, out: int, depth: int) -> None:
        super().__init__()
        half = out // 2
        self.bypass = ConvBNAct(channels, half)
        self.enter = ConvBNAct(channels, half)
        self.main = nn.Sequential(*(Bottleneck(half, shortcut=True) for _ in range(depth)))
        self.merge = ConvBNAct(2 * half, out)

    def forward(self, x: Float[Tensor, "b c h w"]) -> Float[Tensor, "b out h w"]:
        merged: Tensor = self.merge(torch.cat([self.main(self.enter(x)), self.bypass(x)], dim=1))
        return merged


class CSP2(nn.Module):
    """The neck's CSP: both branches start from one 1x1 convolution; bottlenecks without shortcut."""

    def __init__(self, channels: int, out: int, depth: int) -> None:
        super().__init__()
        self.enter = ConvBNAct(channels, out)
        self.bypass = ConvBNAct(out, out)
        self.main = nn.Sequential(*(Bottleneck(out, shortcut=False) for _ in range(depth)))
        self.merge = ConvBNAct(2 * out, out)

    def forward(self, x: Float[Tensor, "b c h w"]) -> Float[Tensor, "b out h w"]:
        x = self.enter(x)
        merged: Tensor = self.merge(torch.cat([self.main(x), self.bypass(x)], dim=1))
        return merged


class SPPCSP(nn.Module):
    """Spatial pyramid pooling in a CSP stage: max-pools of 13, 9 and 5 beside the map itself."""

    def __init__(self, channels: int, out: int) -> None:
        super().__init__()
        self.bypass = ConvBNAct(channels, out)
        self.enter = nn.Sequential(ConvBNAct(channels, out), ConvBNAct(out, out, 3), ConvBNAct(out, out))
        self.mix = nn.Sequential(ConvBNAct(4 * out, out), ConvBNAct(out, out, 3))
        self.merge = ConvBNAct(2 * out, out)

    def forward(self, x: Float[Tensor, "b c h w"]) -> Float[Tensor, "b out h w"]:
        y = self.enter(x)
        # three 5-pools in a row see 5, 9 and 13: the same maxima at a third of the comparisons
        pool5 = functional.max_pool2d(y, 5, 1, 2)
        pool9 = functional.max_pool2d(pool5, 5, 1, 2)
        pool13 = functional.max_pool2d(pool9, 5, 1, 2)
        mixed = self.mix(torch.cat([pool13, pool9, pool5, y], dim=1))
        merged: Tensor = self.merge(torch.cat([mixed, self.bypass(x)], dim=1))
        return merged
