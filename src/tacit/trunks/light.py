"""The light family: the image is reorganised, not convolved, down to stride 4.

Notable features
- Stem C of the paper's appendix with ReOrg in the place of the wavelets: two ReOrgs, 3 -> 48 channels at stride 4,
  nothing lost and nothing computed at full resolution.
- CSP stages at strides 4, 8, 16, 32; spatial pyramid pooling in CSP on the last one.
- A path down and a path up (FPN, PAN) of CSP2 stages, concatenating [lateral, upsampled] and [downsampled, map].
- One 3x3 convolution a level at the end; P3, P4, P5 at strides 8, 16, 32.
- Every convolution has its own batch norm and SiLU, so everything folds.
"""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional

from tacit.nn.blocks import CSP, CSP2, SPPCSP, ConvBNAct, ReOrg


class LightTrunk(nn.Module):
    """Images (B, 3, H, W) in [0, 1], RGB, H and W multiples of 32 -> P3, P4, P5.

    `widths` and `depths` are those of the backbone's stages at strides 4, 8, 16, 32; the neck has `neck_depth`
    bottlenecks a stage and half of the widths.
    """

    strides = (8, 16, 32)

    def __init__(self, widths: tuple[int, int, int, int], depths: tuple[int, int, int, int], neck_depth: int) -> None:
        super().__init__()
        w4, w8, w16, w32 = widths
        self.channels = (w8, w16, w32)
        self.stem = nn.Sequential(ReOrg(), ReOrg(), CSP(48, w4, depths[0]))
        self.stage8 = _stage(w4, w8, depths[1])
        self.stage16 = _stage(w8, w16, depths[2])
        self.stage32 = _stage(w16, w32, depths[3])
        self.pool = SPPCSP(w32, w32 // 2)

        self.lower16 = ConvBNAct(w32 // 2, w16 // 2)
        self.lateral16 = ConvBNAct(w16, w16 // 2)
        self.down16 = CSP2(w16, w16 // 2, neck_depth)
        self.lower8 = ConvBNAct(w16 // 2, w8 // 2)
        self.lateral8 = ConvBNAct(w8, w8 // 2)
        self.down8 = CSP2(w8, w8 // 2, neck_depth)

        self.raise16 = ConvBNAct(w8 // 2, w16 // 2, 3, 2)
        self.up16 = CSP2(w16, w16 // 2, neck_depth)
        self.raise32 = ConvBNAct(w16 // 2, w32 // 2, 3, 2)
        self.up32 = CSP2(w32, w32 // 2, neck_depth)

        self.out8 = ConvBNAct(w8 // 2, w8, 3)
        self.out16 = ConvBNAct(w16 // 2, w16, 3)
        self.out32 = ConvBNAct(w32 // 2, w32, 3)

    def forward(self, images: Float[Tensor, "b 3 h w"]) -> tuple[Tensor, Tensor, Tensor]:
        x8 = self.stage8(self.stem(images))
        x16 = self.stage16(x8)
        top = self.pool(self.stage32(x16))

        mid = self.down16(torch.cat([self.lateral16(x16), _twice(self.lower16(top))], dim=1))
        p3 = self.down8(torch.cat([self.lateral8(x8), _twice(self.lower8(mid))], dim=1))
        p4 = self.up16(torch.cat([self.raise16(p3), mid], dim=1))
        p5 = self.up32(torch.cat([self.raise32(p4), top], dim=1))
        return self.out8(p3), self.out16(p4), self.out32(p5)


def _stage(channels: int, out: int, depth: int) -> nn.Sequential:
    return nn.Sequential(ConvBNAct(channels, out, 3, 2), CSP(out, out, depth))


def _twice(x: Tensor) -> Tensor:
    return functional.interpolate(x, scale_factor=2.0, mode="nearest")
