"""Test-time augmentation: the same pictures smaller or mirrored, and what was found in them carried back.

A network that looks at several views gives several sets of rows, all in the pixels of the first; they are put one
behind the other and suppressed together (official_models, section 9).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn.functional import interpolate, pad

from tacit.errors import ConfigError

GREY = 0.447  # of the border around a smaller view: the reference's, and near to the letterbox's 114 / 255


@dataclass(frozen=True, kw_only=True)
class View:
    """A batch of pictures, `scale` times as large (at most 1), and perhaps mirrored left to right."""

    scale: float = 1.0
    mirrored: bool = False

    def __post_init__(self) -> None:
        if not 0 < self.scale <= 1:
            raise ConfigError(f"a view cannot be {self.scale!r} times as large", allowed="numbers above 0, to 1")

    def of(self, images: Float[Tensor, "b c h w"], stride: int) -> Float[Tensor, "b c _ _"]:
        """The view: resized (bilinear), then bordered with grey on the right and below to multiples of `stride`."""
        images = images.flip(3) if self.mirrored else images
        if self.scale == 1:
            return images
        height, width = images.shape[2:]
        inner = max(1, int(height * self.scale)), max(1, int(width * self.scale))
        spare = [math.ceil(whole * self.scale / stride) * stride - part for whole, part in
                 zip((height, width), inner, strict=True)]  # fmt: skip
        smaller = interpolate(images, size=inner, mode="bilinear", align_corners=False)
        return pad(smaller, (0, spare[1], 0, spare[0]), value=GREY)

    def back(self, rows: Float[Tensor, "b n c"], width: int) -> Float[Tensor, "b n c"]:
        """Decoded rows (x, y, w, h, ...) of the view in pixels of the pictures, which are `width` pixels wide."""
        if self.scale == 1 and not self.mirrored:
            return rows
        x, y, w, h = (rows[..., :4] / self.scale).unbind(-1)
        return torch.cat([torch.stack([width - x if self.mirrored else x, y, w, h], -1), rows[..., 4:]], -1)


AS_IT_IS = (View(),)
THREE_VIEWS = (View(), View(scale=0.83, mirrored=True), View(scale=0.67))
"""The reference's test-time augmentation; with borders to the network's own stride it serves every network."""
