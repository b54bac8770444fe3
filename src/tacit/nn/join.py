"""Where the two branches of a CSP stage meet again."""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor, nn

from tacit.nn.batch_norm import BatchNorm
from tacit.nn.style import Style

BN_MOMENTUM = 0.03  # of all published models


class Join(nn.Module):
    """[main, bypass]; in a joint style one batch norm and activation over both of them."""

    def __init__(self, channels: int, style: Style) -> None:
        super().__init__()
        self.norm = BatchNorm(channels, eps=style.eps, momentum=BN_MOMENTUM) if style.joint else nn.Identity()
        self.act = style.activation(inplace=True) if style.joint else nn.Identity()

    def forward(self, main: Float[Tensor, "b c h w"], bypass: Float[Tensor, "b d h w"]) -> Float[Tensor, "b cd h w"]:
        joined: Tensor = self.act(self.norm(torch.cat([main, bypass], dim=1)))
        return joined


class CrossStage(nn.Module):
    """A block of two branches: whatever comes first, `ending` closes the main branch, `bypass` is the other."""

    bypass: nn.Module
    join: Join

    @property
    def ending(self) -> nn.Sequential:
        """The layers at the end of the main branch."""
        raise NotImplementedError


class ScaleShift(nn.Module):
    """scale x + shift, channel by channel: what folding leaves of a batch norm with no convolution before it."""

    def __init__(self, scale: Float[Tensor, " c"], shift: Float[Tensor, " c"]) -> None:
        super().__init__()
        self.scale: Tensor
        self.shift: Tensor
        self.register_buffer("scale", scale.view(1, -1, 1, 1))
        self.register_buffer("shift", shift.view(1, -1, 1, 1))

    def forward(self, x: Float[Tensor, "b c h w"]) -> Float[Tensor, "b c h w"]:
        return torch.addcmul(self.shift, x, self.scale)
