"""Kernel selection: the photograph itself decides how far its features look, as explicit knowledge."""

from __future__ import annotations

import math

import torch
from jaxtyping import Float
from torch import Tensor, nn

from tacit.nn.batch_norm import BatchNorm
from tacit.nn.blocks import ConvBNAct
from tacit.nn.join import BN_MOMENTUM
from tacit.nn.style import CONFIGURED, Style

DILATIONS = (1, 2)  # a 3x3 and a 5x5 field
MOST_GROUPS, REDUCTION, LEAST = 32, 16, 32  # G, r and L of the paper, section 3.2


class KernelChoice(nn.Module):
    """A selective kernel convolution (Li et al., 2019, eqs. 1 to 6): branches of several fields, mixed by channel.

    Split into a 3x3 and a dilated 3x3 convolution, fuse their sum to one vector a photograph, select by a softmax
    over the branches. Each branch's batch norm folds into its convolution. The branches stay two: their shares
    depend on the photograph and are no constants. The paper's batch norm on the vector is a bias here, since one
    value a photograph has no spread in a batch of one.
    """

    def __init__(self, channels: int, style: Style = CONFIGURED) -> None:
        super().__init__()
        groups, squeezed = math.gcd(channels, MOST_GROUPS), max(channels // REDUCTION, LEAST)
        self.branches = nn.ModuleList(
            ConvBNAct(channels, channels, 3, dilation=dilation, groups=groups, style=style) for dilation in DILATIONS
        )
        self.fuse = nn.Sequential(nn.Conv2d(channels, squeezed, 1), style.activation(inplace=True))
        self.select = nn.Conv2d(squeezed, len(DILATIONS) * channels, 1)

    def forward(self, x: Float[Tensor, "b c h w"]) -> Float[Tensor, "b c h w"]:
        fields = torch.stack([branch(x) for branch in self.branches], dim=1)  # b, branches, c, h, w
        vector = self.fuse(fields.sum(1).mean((2, 3), keepdim=True))
        shares = torch.stack(self.select(vector).chunk(len(DILATIONS), dim=1), dim=1).softmax(1)
        return (fields * shares).sum(1)


class SelectiveKernel(nn.Module):
    """The unit of selective kernel networks: 1x1, kernel choice, 1x1 over half of the channels, and a shortcut.

    All of its batch norms fold; what `KernelChoice` says of its branches holds.
    """

    def __init__(self, channels: int, style: Style = CONFIGURED) -> None:
        super().__init__()
        half = max(channels // 2, 1)
        self.reduce = ConvBNAct(channels, half, style=style)
        self.choice = KernelChoice(half, style)
        self.spread = nn.Sequential(
            nn.Conv2d(half, channels, 1, bias=False), BatchNorm(channels, eps=style.eps, momentum=BN_MOMENTUM)
        )

    def forward(self, x: Float[Tensor, "b c h w"]) -> Float[Tensor, "b c h w"]:
        answer: Tensor = x + self.spread(self.choice(self.reduce(x)))
        return answer
