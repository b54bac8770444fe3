"""Every cell of a map sees every other: the transformer and the non-local block, explicit knowledge beside convolution.

Both keep the size and the channels of a map, so a trunk may put one behind a stage. Their work grows with the square
of the number of cells: they belong on the coarsest maps.
"""

from __future__ import annotations

import math

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional

from tacit.nn.batch_norm import BatchNorm
from tacit.nn.join import BN_MOMENTUM
from tacit.nn.style import CONFIGURED, Style

MOST_HEADS = 8
WIDER = 4  # how much wider the inner layer of the two-layer network is
TEMPERATURE = 10_000.0


class Transformer(nn.Module):
    """An encoder block of DETR (Carion et al., 2020): attention among all cells, then a network on each alone.

    x = norm(x + attention(x + position, x)), x = norm(x + network(x)); the position is a constant of sines. As many
    heads as divide the channels, at most 8.

    Nothing here folds: what follows a convolution is a softmax over cells or a layer norm, whose statistics are those
    of the photograph at hand and no constants. The norms' own scale and shift are needed by the shortcut as well.
    """

    def __init__(self, channels: int, style: Style = CONFIGURED) -> None:
        super().__init__()
        self.heads = math.gcd(channels, MOST_HEADS)
        self.compare = nn.Conv2d(channels, 2 * channels, 1, bias=False)  # queries and keys
        self.value = nn.Conv2d(channels, channels, 1, bias=False)
        self.gather = nn.Conv2d(channels, channels, 1)
        self.gathered = MapNorm(channels)
        self.network = nn.Sequential(
            nn.Conv2d(channels, WIDER * channels, 1),
            style.activation(inplace=True),
            nn.Conv2d(WIDER * channels, channels, 1),
        )
        self.done = MapNorm(channels)

    def forward(self, x: Float[Tensor, "b c h w"]) -> Float[Tensor, "b c h w"]:
        query, key = self.compare(x + sines(x)).chunk(2, dim=1)
        seen = attend(query, key, self.value(x), self.heads)
        x = self.gathered(x + self.gather(seen))
        answer: Tensor = self.done(x + self.network(x))
        return answer


class NonLocal(nn.Module):
    """Non-local attention (Wang et al., 2018): x + W y, where y is each cell's mean of all cells, weighted by likeness.

    The embedded Gaussian of eqs. 3 and 6 over half of the channels, without a position. W's batch norm starts at
    zero, so a new block changes nothing (section 4.1).

    W and its batch norm fold into one convolution. The other three convolutions meet in a softmax over the cells of
    the photograph at hand, which is no constant, and stay.
    """

    def __init__(self, channels: int, style: Style = CONFIGURED) -> None:
        super().__init__()
        half = max(channels // 2, 1)
        self.query = nn.Conv2d(channels, half, 1, bias=False)
        self.key = nn.Conv2d(channels, half, 1, bias=False)
        self.value = nn.Conv2d(channels, half, 1, bias=False)
        norm = BatchNorm(channels, eps=style.eps, momentum=BN_MOMENTUM)
        nn.init.zeros_(norm.weight)
        self.spread = nn.Sequential(nn.Conv2d(half, channels, 1, bias=False), norm)

    def forward(self, x: Float[Tensor, "b c h w"]) -> Float[Tensor, "b c h w"]:
        seen = attend(self.query(x), self.key(x), self.value(x), heads=1, scale=1.0)  # the paper does not scale
        answer: Tensor = x + self.spread(seen)
        return answer


class MapNorm(nn.LayerNorm):
    """Layer norm over the channels of every cell."""

    def forward(self, x: Float[Tensor, "b c h w"]) -> Float[Tensor, "b c h w"]:
        return super().forward(x.permute(0, 2, 3, 1)).permute(0, 3, 1, 2)


def attend(
    query: Float[Tensor, "b k h w"],
    key: Float[Tensor, "b k h w"],
    value: Float[Tensor, "b c h w"],
    heads: int,
    scale: float | None = None,
) -> Float[Tensor, "b c h w"]:
    """Every cell's mean of all values, weighted by the softmax of its query's inner products with their keys.

    `scale` of the products is 1 / sqrt(channels of a head) unless told.
    """
    batch, _, height, width = value.shape

    def split(x: Tensor) -> Tensor:
        return x.reshape(batch, heads, x.shape[1] // heads, height * width).transpose(
            2, 3
        )  # b, heads, cells, c / heads

    means = functional.scaled_dot_product_attention(split(query), split(key), split(value), scale=scale)
    return means.transpose(2, 3).reshape(value.shape)


def sines(x: Float[Tensor, "b c h w"]) -> Float[Tensor, "1 c h w"]:
    """DETR's position of every cell: sines and cosines of y, then of x, each a quarter of the channels.

    The map is one turn of 2 pi high and wide at the highest of the frequencies, which fall to 1/10000 of it. Channels
    beyond a multiple of four are zero.
    """
    channels, (height, width) = x.shape[1], x.shape[2:]
    quarter = channels // 4
    powers = torch.arange(quarter, device=x.device) / max(quarter, 1)
    frequencies = 2 * math.pi * TEMPERATURE**-powers
    y, x_ = ((torch.arange(1, count + 1, device=x.device) / count)[:, None] * frequencies for count in (height, width))
    rows, columns = torch.cat([y.sin(), y.cos()], dim=1).T, torch.cat([x_.sin(), x_.cos()], dim=1).T
    whole = torch.cat([rows[:, :, None].expand(-1, -1, width), columns[:, None].expand(-1, height, -1)])
    return functional.pad(whole, (0, 0, 0, 0, 0, channels - 4 * quarter))[None].to(x)
