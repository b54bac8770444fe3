"""The paper line's own description of a network, read as the plan of a trunk.

A description lists layers as [from, number, module, arguments]. The numbers of a plan are read off loosely; then the
lines that such a plan would have are held against those that are there, and the first that differs is refused by name.
Numbers are repeated `max(round(number * depth_multiple), 1)` times, widths are rounded up to a multiple of 8 after
`width_multiple`; the order of the lines is that of the published files (official_models, section 3).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import zip_longest
from typing import Any

from tacit.errors import WeightsError
from tacit.nn.blocks import DWT, DownC, Halve, ReOrg
from tacit.nn.style import PAPER
from tacit.trunks.pyramid import Plan

STAGES = ("Bottleneck", "BottleneckCSP", "BottleneckCSPF")
WIDE = {*STAGES, "BottleneckCSP2", "Conv", "SPPCSP", "DownC"}  # their first argument is a width
FURTHER: dict[str, tuple[list[Any], ...]] = {
    **dict.fromkeys(STAGES, ([], [True])), "BottleneckCSP2": ([], [False]),  # with or without shortcuts
    "Concat": ([1],), "Upsample": ([None, 2, "nearest"], ["None", 2, "nearest"]),
}  # fmt: skip
"""Arguments that say what is so anyway."""
DETECT = ("Detect", "IDetect")
POINT, SAME, HALF = (1, 1), (3, 1), (3, 2)  # kernel and stride of a convolution
PLAIN = {int, float, str, bool, type(None)}
MOST_LAYERS, LARGEST_MULTIPLE, LARGEST_NUMBER = 300, 16, 10**6
ALLOWED = "networks of the layers and connections of the published ones"


@dataclass(frozen=True)
class Layer:
    """One line with its multiples applied; `sources` are numbers of lines, -1 is the image."""

    module: str
    sources: tuple[int, ...]
    width: int = 0
    repeats: int = 1
    window: tuple[int, int] | None = None


def plan_of(description: dict[Any, Any]) -> Plan:
    """The plan that a description means. Raises WeightsError naming the first line that is not understood."""
    lines = [*_list(description.get("backbone")), *_list(description.get("head"))]
    if not 0 < len(lines) <= MOST_LAYERS:
        raise WeightsError(f"its network is described in {len(lines)} lines", allowed=f"1 to {MOST_LAYERS}")
    depth, width = (_multiple(description.get(name, 1)) for name in ("depth_multiple", "width_multiple"))
    layers = [_layer(number, line, depth, width) for number, line in enumerate(lines)]
    plan = _guess(layers)
    for number, (layer, expected) in enumerate(zip_longest(layers, _Lines(plan).layers)):
        if layer != expected:
            raise _refused(number, lines[number] if layer else "it ends there")
    return plan


def _guess(layers: list[Layer]) -> Plan:
    """The plan, if the layers are one at all."""
    modules = [layer.module for layer in layers]
    backbone = layers[: modules.index("SPPCSP")] if "SPPCSP" in modules else layers
    stages = [layer for layer in backbone if layer.module in STAGES]
    kind = DWT if modules[0] == "DWT" else ReOrg
    reorganised = sum(layer.module == kind.__name__ for layer in backbone)
    stem = next((layer.width for layer in backbone[reorganised : reorganised + 1] if layer.window == SAME), None)
    down_at = reorganised + (stem is not None)
    if len(stages) < 2 or layers[-1].module not in DETECT:
        raise WeightsError("the description of its network has no stages, or no detection at its end", allowed=ALLOWED)
    return Plan(
        stages=tuple((layer.width, layer.repeats) for layer in stages),
        levels=min(len(layers[-1].sources), len(stages)),
        neck_depth=next((layer.repeats for layer in layers if layer.module == "BottleneckCSP2"), 1),
        stem=stem,
        reorganise=kind,
        reorganised=reorganised,
        down=DownC if "DownC" in modules else Halve,
        down_first=layers[down_at].module not in STAGES,
        residual_first=stages[0].module == "Bottleneck",
        tail=stages[-1].module == "BottleneckCSP",
        style=PAPER,
    )


class _Lines:
    """The lines that a plan has, in the order of the published descriptions."""

    def __init__(self, plan: Plan) -> None:
        self.plan, self.layers = plan, list[Layer]()
        self._detect(self._neck(self._backbone()))

    def _backbone(self) -> list[int]:
        """Up to the pyramid pooling; gives the last lines of the stages."""
        plan, sides = self.plan, list[int]()
        for _ in range(plan.reorganised):
            self._add(plan.reorganise.__name__)
        if plan.stem:
            self._add("Conv", plan.stem, window=SAME)
        for position, (width, depth) in enumerate(plan.stages):
            if position or plan.down_first:
                self._halve(width)
            residual = position == 0 and plan.residual_first
            kind = "Bottleneck" if residual else "BottleneckCSP" if plan.tail else "BottleneckCSPF"
            sides.append(self._add(kind, width, repeats=1 if residual else depth))
        self._add("SPPCSP", plan.stages[-1][0] // 2)
        return sides

    def _neck(self, sides: list[int]) -> list[int]:
        """The path down; gives the last lines of its maps, coarsest first."""
        maps = [len(self.layers) - 1]
        for (stage, _), side in list(zip(self.plan.stages, sides, strict=True))[-self.plan.levels : -1][::-1]:
            self._add("Conv", stage // 2, window=POINT)
            raised = self._add("Upsample")
            lateral = self._add("Conv", stage // 2, at=(side,), window=POINT)
            maps.append(self._merge(stage // 2, lateral, raised))
        return maps

    def _detect(self, maps: list[int]) -> None:
        """The path up, the last convolutions of its maps, detection."""
        (first, _), *coarser = self.plan.stages[-self.plan.levels :]
        level = maps.pop()
        outs = [self._add("Conv", first, at=(level,), window=SAME)]
        for stage, _ in coarser:
            level = self._merge(stage // 2, self._halve(stage // 2, level), maps.pop())
            outs.append(self._add("Conv", stage, window=SAME))
        self._add(DETECT[0], at=tuple(outs))

    def _merge(self, width: int, *sources: int) -> int:
        self._add("Concat", at=sources)
        return self._add("BottleneckCSP2", width, repeats=self.plan.neck_depth)

    def _halve(self, width: int, at: int | None = None) -> int:
        sources = None if at is None else (at,)
        if self.plan.down is DownC:
            return self._add("DownC", width, at=sources)
        return self._add("Conv", width, at=sources, window=HALF)

    def _add(
        self,
        module: str,
        width: int = 0,
        *,
        at: tuple[int, ...] | None = None,
        repeats: int = 1,
        window: tuple[int, int] | None = None,
    ) -> int:
        """One more line, by default behind the last; gives its number."""
        self.layers.append(Layer(module, (len(self.layers) - 1,) if at is None else at, width, repeats, window))
        return len(self.layers) - 1


def _layer(number: int, line: Any, depth: float, width: float) -> Layer:
    try:
        source, count, module, arguments = line
        name, sources = _text(module).rpartition(".")[2], source if type(source) is list else [source]
        sources = [_whole(one) + (number if one < 0 else 0) for one in sources]
        repeats = max(round(_whole(count) * depth), 1)
        channels, window, further = 0, None, list(arguments)
        if name in WIDE:
            channels, *further = further
            channels = math.ceil(_whole(channels) * width / 8) * 8
        if name == "Conv":
            kernel, stride = (*further, 1, 1)[: max(2, len(further))]
            window = (_whole(kernel), _whole(stride))
        if name in FURTHER and (not all(type(one) in PLAIN for one in further) or further not in FURTHER[name]):
            raise ValueError(f"a {name} of an unknown kind")
    except (TypeError, ValueError, IndexError, OverflowError) as error:
        raise _refused(number, line) from error
    return Layer(DETECT[0] if name in DETECT else name, tuple(sources), channels, repeats, window)


def _list(value: Any) -> list[Any]:
    return value if type(value) is list else []


def _multiple(value: Any) -> float:
    if type(value) not in {int, float} or not 0 < value <= LARGEST_MULTIPLE:
        raise WeightsError("a multiple in the description of its network is amiss", allowed=f"0 to {LARGEST_MULTIPLE}")
    return float(value)


def _whole(value: Any) -> int:
    if type(value) is not int or abs(value) > LARGEST_NUMBER:
        raise TypeError("no whole number")
    return value


def _text(value: Any) -> str:
    if type(value) is not str:
        raise TypeError("no text")
    return value


def _refused(number: int, line: Any) -> WeightsError:
    return WeightsError(
        f"line {number} of the description of its network is not understood: {_told(line)[:200]}", allowed=ALLOWED
    )


def _told(value: Any, depth: int = 3) -> str:
    """For people, however deep it is nested."""
    if type(value) is list and depth:
        return f"[{', '.join(_told(one, depth - 1) for one in value[:20])}]"
    return str(value) if type(value) in PLAIN else "..."
