"""The blocks of the published models: convolution, CSP stages, spatial pyramid pooling, stems, downsampling.

One class a block for all published lines; a `Style` says where they differ. Every convolution but the detection one
has batch norm and an activation, and a CSP stage concatenates [main, bypass]. Sums of shortcuts are not activated.
"""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional

from tacit.nn.batch_norm import BatchNorm
from tacit.nn.join import BN_MOMENTUM, CrossStage, Join
from tacit.nn.style import CONFIGURED, Style


class ConvBNAct(nn.Sequential):
    """Convolution without bias, batch norm, activation; padding keeps the size at stride 1."""

    def __init__(
        self,
        channels: int,
        out: int,
        kernel: int = 1,
        stride: int = 1,
        *,
        dilation: int = 1,
        groups: int = 1,
        style: Style = CONFIGURED,
    ) -> None:
        super().__init__()
        padding = dilation * (kernel // 2)
        self.conv = nn.Conv2d(channels, out, kernel, stride, padding, dilation, groups, bias=False)
        self.bn = BatchNorm(out, eps=style.eps, momentum=BN_MOMENTUM)
        self.act = style.activation(inplace=True)


class Halve(ConvBNAct):
    """3x3 convolution of stride 2."""

    def __init__(self, channels: int, out: int, style: Style = CONFIGURED) -> None:
        super().__init__(channels, out, 3, 2, style=style)


class DownC(nn.Module):
    """Half the size in two ways side by side: a 3x3 convolution of stride 2, and a max-pool."""

    def __init__(self, channels: int, out: int, style: Style = CONFIGURED) -> None:
        super().__init__()
        self.strided = nn.Sequential(
            ConvBNAct(channels, channels, style=style), ConvBNAct(channels, out // 2, 3, 2, style=style)
        )
        self.pooled = nn.Sequential(nn.MaxPool2d(2), ConvBNAct(channels, out // 2, style=style))

    def forward(self, x: Float[Tensor, "b c h w"]) -> Float[Tensor, "b out h2 w2"]:
        return torch.cat([self.strided(x), self.pooled(x)], dim=1)


class ReOrg(nn.Module):
    """Space to depth: half the size, four times the channels, nothing lost.

    Channels are [even rows even columns, odd rows even columns, even rows odd columns, odd odd].
    """

    def forward(self, x: Float[Tensor, "b c h w"]) -> Float[Tensor, "b c4 h2 w2"]:
        # up to -1: the number of even places is then a plain half, where exporters calculate with sizes as formulas
        return torch.cat([x[..., :-1:2, :-1:2], x[..., 1::2, :-1:2], x[..., :-1:2, 1::2], x[..., 1::2, 1::2]], dim=1)


class DWT(nn.Module):
    """Haar wavelets, the other published stem: half the size, four times the channels, nothing lost.

    Of each 2x2 block the mean, for all channels, then channel by channel the differences of its rows, columns and
    diagonals, a quarter of them around 0.5 (official_models, section 4).
    """

    def forward(self, x: Float[Tensor, "b c h w"]) -> Float[Tensor, "b c4 h2 w2"]:
        a, b, c, d = x[..., :-1:2, :-1:2], x[..., :-1:2, 1::2], x[..., 1::2, :-1:2], x[..., 1::2, 1::2]  # as above
        differences = torch.stack([a + b - c - d, a - b + c - d, a - b - c + d], dim=2)
        return torch.cat([(a + b + c + d) / 4, differences.flatten(1, 2) / 4 + 0.5], dim=1)


class Bottleneck(nn.Module):
    """1x1 then 3x3 convolution, over `hidden` channels (all by default), with or without the shortcut around them."""

    def __init__(self, channels: int, *, shortcut: bool, hidden: int | None = None, style: Style = CONFIGURED) -> None:
        super().__init__()
        hidden = hidden or channels
        self.reduce = ConvBNAct(channels, hidden, style=style)
        self.spread = ConvBNAct(hidden, channels, 3, style=style)
        self.shortcut = shortcut

    def forward(self, x: Float[Tensor, "b c h w"]) -> Float[Tensor, "b c h w"]:
        y: Tensor = self.spread(self.reduce(x))
        return x + y if self.shortcut else y


def _branch_end(channels: int, out: int, style: Style) -> nn.Module:
    """The 1x1 convolution that ends a branch, bare where the branches share their batch norm."""
    return nn.Conv2d(channels, out, 1, bias=False) if style.joint else ConvBNAct(channels, out, style=style)


class CSP(CrossStage):
    """Cross stage partial: half of the width goes through `depth` bottlenecks, half around them.

    With `tail` one more 1x1 convolution ends the main branch.
    """

    def __init__(self, channels: int, out: int, depth: int, *, tail: bool = False, style: Style = CONFIGURED) -> None:
        super().__init__()
        half = out // 2
        self.bypass = _branch_end(channels, half, style)
        self.enter = ConvBNAct(channels, half, style=style)
        self.main = nn.Sequential(*(Bottleneck(half, shortcut=True, style=style) for _ in range(depth)))
        if tail:
            self.main.add_module("tail", _branch_end(half, half, style))
        self.join = Join(2 * half, style)
        self.merge = ConvBNAct(2 * half, out, style=style)

    @property
    def ending(self) -> nn.Sequential:
        return self.main

    def forward(self, x: Float[Tensor, "b c h w"]) -> Float[Tensor, "b out h w"]:
        merged: Tensor = self.merge(self.join(self.main(self.enter(x)), self.bypass(x)))
        return merged


class CSP2(CrossStage):
    """The neck's CSP: both branches start from one 1x1 convolution; bottlenecks without shortcut."""

    def __init__(self, channels: int, out: int, depth: int, *, style: Style = CONFIGURED) -> None:
        super().__init__()
        self.enter = ConvBNAct(channels, out, style=style)
        self.bypass = _branch_end(out, out, style)
        self.main = nn.Sequential(*(Bottleneck(out, shortcut=False, style=style) for _ in range(depth)))
        self.join = Join(2 * out, style)
        self.merge = ConvBNAct(2 * out, out, style=style)

    @property
    def ending(self) -> nn.Sequential:
        return self.main

    def forward(self, x: Float[Tensor, "b c h w"]) -> Float[Tensor, "b out h w"]:
        x = self.enter(x)
        merged: Tensor = self.merge(self.join(self.main(x), self.bypass(x)))
        return merged


class SPPCSP(CrossStage):
    """Spatial pyramid pooling in a CSP stage: max-pools of 13, 9 and 5 beside the map itself.

    `depth` pairs of 1x1 and 3x3 convolutions mix them.
    """

    def __init__(self, channels: int, out: int, depth: int = 1, *, style: Style = CONFIGURED) -> None:
        super().__init__()
        self.bypass = _branch_end(channels, out, style)
        self.enter = nn.Sequential(
            ConvBNAct(channels, out, style=style), ConvBNAct(out, out, 3, style=style), ConvBNAct(out, out, style=style)
        )
        widths = [4 * out] + [out] * (depth - 1)
        self.mix = nn.Sequential(
            *(
                layer
                for width in widths
                for layer in (ConvBNAct(width, out, style=style), ConvBNAct(out, out, 3, style=style))
            )
        )
        self.join = Join(2 * out, style)
        self.merge = ConvBNAct(2 * out, out, style=style)
        self.widest_first = style.widest_pool_first

    @property
    def ending(self) -> nn.Sequential:
        return self.mix

    def forward(self, x: Float[Tensor, "b c h w"]) -> Float[Tensor, "b out h w"]:
        y = self.enter(x)
        # three 5-pools in a row see 5, 9 and 13: the same maxima at a third of the comparisons
        pool5 = functional.max_pool2d(y, 5, 1, 2)
        pool9 = functional.max_pool2d(pool5, 5, 1, 2)
        pool13 = functional.max_pool2d(pool9, 5, 1, 2)
        pools = [pool13, pool9, pool5, y] if self.widest_first else [y, pool5, pool9, pool13]
        merged: Tensor = self.merge(self.join(self.mix(torch.cat(pools, dim=1)), self.bypass(x)))
        return merged
