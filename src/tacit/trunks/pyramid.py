"""The trunk of every model, from nano over yolor-csp to yolov4-p7: a CSP backbone and a path down and up again.

Notable features
- The stem: `reorganised` times space to depth (ReOrg or wavelets), then at most one 3x3 convolution.
- A stage at every stride: halve the size, then CSP of (width, depth).
- A `mixer` may end the last stage, so that all its cells see each other: none of the published models has one.
- Spatial pyramid pooling in CSP on the last stage.
- A path down (FPN) and a path up (PAN) of CSP2 stages over the last `levels` stages, each half as wide as the stage it
  meets; they concatenate [lateral, upsampled] and [halved, map].
- One 3x3 convolution a level at the end, back at the width of the backbone.
- Modules are registered in the order of the published files, which is how weights find their place.

Wiring and numbers: official_models, sections 2 and 3; the numbers of each model stand in `zoo.py`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional

from tacit.nn.attention import NonLocal, Transformer
from tacit.nn.blocks import CSP, CSP2, DWT, SPPCSP, Bottleneck, ConvBNAct, DownC, Halve, ReOrg
from tacit.nn.selection import SelectiveKernel
from tacit.nn.style import CONFIGURED, Style


@dataclass(frozen=True, kw_only=True)
class Plan:
    """The numbers of one trunk."""

    stages: tuple[tuple[int, int], ...]
    """Width and depth (number of bottlenecks) of the backbone's stages, from the finest."""
    levels: int
    """How many of the last stages the pyramid has."""
    neck_depth: int
    """Bottlenecks of every CSP2 of the two paths."""
    pool_depth: int = 1
    """Pairs of convolutions behind the pyramid pooling."""
    stem: int | None
    """Width of the stem's 3x3 convolution; None has none."""
    reorganise: type[ReOrg] | type[DWT] = ReOrg
    """How the stem trades size for channels."""
    reorganised: int = 0
    """How often it does."""
    down: type[Halve] | type[DownC] = Halve
    """How the backbone and the path up halve the size."""
    down_first: bool = True
    """The first stage halves too."""
    residual_first: bool = False
    """The first stage is one bottleneck over half of its width, and no CSP."""
    tail: bool = False
    """The main branches of the backbone end in one more 1x1 convolution."""
    mixer: type[Transformer] | type[NonLocal] | type[SelectiveKernel] | None = None
    """What ends the last stage: attention among its cells, or a choice of kernels."""
    style: Style = CONFIGURED
    """Batch norm, activation and order of the pools."""

    @property
    def strides(self) -> tuple[int, ...]:
        """Of the pyramid, in pixels."""
        first = 2 ** (self.reorganised + self.down_first)
        return tuple(first * 2**stage for stage in range(len(self.stages)))[-self.levels :]


class PyramidTrunk(nn.Module):
    """Images (B, 3, H, W) in [0, 1], RGB, sides multiples of the last stride -> one map a stride, finest first."""

    def __init__(self, plan: Plan) -> None:
        super().__init__()
        style, widths = plan.style, [width for width, _ in plan.stages]
        self.plan, self.strides, self.channels = plan, plan.strides, tuple(widths[-plan.levels :])
        neck = [width // 2 for width in self.channels]
        self.stem = nn.Sequential(*_stem(plan))
        entries = [plan.stem or 3 * 4**plan.reorganised, *widths]
        self.stages = nn.ModuleList(_stage(plan, i, channels) for i, channels in enumerate(entries[:-1]))
        self.pool = SPPCSP(widths[-1], neck[-1], plan.pool_depth, style=style)
        finer = list(zip(self.channels, neck, neck[1:], strict=False))  # (stage, own, above) widths but of the top
        self.descents = nn.ModuleList(
            Descent(above, side, own, plan.neck_depth, style) for side, own, above in reversed(finer)
        )
        self.ascents = nn.ModuleList(
            Ascent(plan.down(below, own, style), own, plan.neck_depth, style) for below, own in pairwise(neck)
        )
        self.outs = nn.ModuleList(
            ConvBNAct(own, out, 3, style=style) for own, out in zip(neck, self.channels, strict=True)
        )

    def forward(self, images: Float[Tensor, "b 3 h w"]) -> tuple[Tensor, ...]:
        x, sides = self.stem(images), list[Tensor]()
        for stage in self.stages:
            x = stage(x)
            sides = [*sides, x][-len(self.outs) :]
        maps = [self.pool(x)]  # coarsest first
        for descent, side in zip(self.descents, reversed(sides[:-1]), strict=True):
            maps.append(descent(maps[-1], side))
        levels = [maps.pop()]  # finest first
        for ascent in self.ascents:
            levels.append(ascent(levels[-1], maps.pop()))
        return tuple(out(level) for out, level in zip(self.outs, levels, strict=True))


class Descent(nn.Module):
    """One step of the path down: the map above, twice as large, beside the backbone's."""

    def __init__(self, above: int, side: int, out: int, depth: int, style: Style) -> None:
        super().__init__()
        self.lower = ConvBNAct(above, out, style=style)
        self.lateral = ConvBNAct(side, out, style=style)
        self.csp = CSP2(2 * out, out, depth, style=style)

    def forward(self, above: Float[Tensor, "b c h w"], side: Float[Tensor, "b d h2 w2"]) -> Float[Tensor, "b o h2 w2"]:
        raised = functional.interpolate(self.lower(above), scale_factor=2.0, mode="nearest")
        merged: Tensor = self.csp(torch.cat([self.lateral(side), raised], dim=1))
        return merged


class Ascent(nn.Module):
    """One step of the path up: the map below, half as large, beside that of the path down."""

    def __init__(self, halve: nn.Module, out: int, depth: int, style: Style) -> None:
        super().__init__()
        self.halve = halve
        self.csp = CSP2(2 * out, out, depth, style=style)

    def forward(self, below: Float[Tensor, "b c h2 w2"], side: Float[Tensor, "b d h w"]) -> Float[Tensor, "b d h w"]:
        merged: Tensor = self.csp(torch.cat([self.halve(below), side], dim=1))
        return merged


def _stem(plan: Plan) -> Sequence[nn.Module]:
    layers: list[nn.Module] = [plan.reorganise() for _ in range(plan.reorganised)]
    if plan.stem:
        layers.append(ConvBNAct(3 * 4**plan.reorganised, plan.stem, 3, style=plan.style))
    return layers


def _stage(plan: Plan, position: int, channels: int) -> nn.Sequential:
    width, depth = plan.stages[position]
    down = [] if position == 0 and not plan.down_first else [plan.down(channels, width, plan.style)]
    entry = width if down else channels
    if position == 0 and plan.residual_first:
        return nn.Sequential(*down, Bottleneck(width, shortcut=True, hidden=width // 2, style=plan.style))
    csp = CSP(entry, width, depth, tail=plan.tail, style=plan.style)
    mixer = [plan.mixer(width, plan.style)] if plan.mixer and position == len(plan.stages) - 1 else []
    return nn.Sequential(*down, csp, *mixer)
