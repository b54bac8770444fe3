"""Rectangular batches: how the authors of YOLOR evaluated, and what their published figures need.

Photographs are sorted by aspect. Each is resized to the long side `size`; a batch of them shares one rectangle, which
leaves every picture a border of at least half a stride: 704 pixels for 640, 1344 for 1280 (official_models, section 9).
An answer then depends a little on which photographs share the batch, so this is for figures, not for prediction.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

from tacit.data.sample import Dataset
from tacit.errors import ConfigError
from tacit.geometry.letterbox import Letterbox
from tacit.results import Result
from tacit.stages import Image, Stages


@dataclass(frozen=True, kw_only=True)
class Grid:
    """Photographs that share a rectangle, and the number that divides its sides."""

    group: int
    stride: int


CFG_LINE = Grid(group=32, stride=64)
GRIDS = {
    "yolor-csp": CFG_LINE,
    "yolor-csp-x": CFG_LINE,
    "yolor-p6": CFG_LINE,
    "yolor-w6": CFG_LINE,
    "yolov4-csp": CFG_LINE,
    "yolov4-csp-x": CFG_LINE,
    "yolov4-p6": CFG_LINE,
    "yolov4-p7": Grid(group=32, stride=128),  # 64 in the reference, which is no multiple of the network's own stride
}


def grid_of(model: str, stride: int) -> Grid:
    """What a model was published with; the paper line, and any other, with its own `stride`."""
    return GRIDS.get(model, Grid(group=16, stride=stride))


@dataclass(frozen=True, kw_only=True)
class Rectangular:
    """A predictor for `evaluate`, to be called with one whole group of photographs after the other, `by_aspect`.

    `batch` of them go through the network at a time; it changes memory and time, not the answers.
    Raises ConfigError where the network's stride does not divide the grid's.
    """

    stages: Stages
    grid: Grid
    batch: int = 8

    def __post_init__(self) -> None:
        stride = self.stages.network.stride
        if self.grid.stride < stride or self.grid.stride % stride:
            raise ConfigError(f"the network cannot take sides of {self.grid.stride}", allowed=f"multiples of {stride}")

    def __call__(self, images: Sequence[Image]) -> list[Result]:
        """One result an image, in order; images are RGB."""
        sources = [(image.shape[0], image.shape[1]) for image in images]
        rectangle = rectangle_of(sources, self.stages.size, self.grid.stride)
        plans = [plan_in_rectangle(source, self.stages.size, rectangle) for source in sources]
        parts = [slice(start, start + self.batch) for start in range(0, len(images), self.batch)]
        return [result for part in parts for result in self.stages.run(images[part], plans[part])]


def by_aspect(dataset: Dataset) -> Dataset:
    """The same photographs, the widest first."""
    return replace(dataset, samples=tuple(sorted(dataset.samples, key=lambda sample: sample.height / sample.width)))


def rectangle_of(sources: Sequence[tuple[int, int]], size: int, stride: int) -> tuple[int, int]:
    """(height, width) of the rectangle for photographs of these (height, width): ceil(p size / stride + 0.5) stride.

    p is the largest part that any of them takes of the long side.
    """
    parts = [max(source[axis] / max(source) for source in sources) for axis in (0, 1)]
    height, width = (math.ceil(part * size / stride + 0.5) * stride for part in parts)
    return height, width


def plan_in_rectangle(source: tuple[int, int], size: int, rectangle: tuple[int, int]) -> Letterbox:
    """Where a photograph lies whose long side becomes `size`, larger or smaller, in the middle of `rectangle`."""
    height, width = (max(1, round(side * size / max(source))) for side in source)
    return Letterbox(
        ratio=(width / source[1], height / source[0]),
        pad=((rectangle[1] - width) / 2, (rectangle[0] - height) / 2),
        source=source,
        target=rectangle,
        averaged=True,
    )
