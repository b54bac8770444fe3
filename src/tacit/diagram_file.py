"""The blocks of a network as a picture: rows are strides, an arrow leads from what is read to who reads it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from tacit.diagram import SIGNS, Block, Role
from tacit.errors import ConfigError

if TYPE_CHECKING:
    from matplotlib.axes import Axes

FORMATS = (".png", ".svg", ".pdf")
COLOURS = {
    Role.INPUT: "#eeeeee",
    Role.BACKBONE: "#cfe2f3",
    Role.POOL: "#fce5cd",
    Role.NECK: "#d9ead3",
    Role.LEVEL: "#fff2cc",
    Role.HEAD: "#e0d3ee",
}
EDGE, INK, PALE = "#555555", "#111111", "#666666"
WIDTH, HEIGHT = 2.1, 0.8  # of a box, in inches
RIGHT, DOWN = 2.6, 1.2  # from one box to the next
LEFT, TOP, BOTTOM, END = 1.1, 0.9, 0.7, 0.2  # around them
DPI = 120


def save_diagram(blocks: Sequence[Block], path: Path, title: str) -> None:
    """Writes the drawing; png, svg or pdf, as the name of `path` ends.

    Raises ConfigError for another ending and OSError where nothing can be written.
    """
    if path.suffix.lower() not in FORMATS:
        raise ConfigError(f"no picture can be written as {path.name!r}", allowed=", ".join(FORMATS))
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    columns = max(block.column for block in blocks)
    rows = max(block.row for block in blocks)
    width, height = LEFT + columns * RIGHT + WIDTH + END, TOP + rows * DOWN + HEIGHT + BOTTOM
    figure = Figure(figsize=(width, height), dpi=DPI)
    FigureCanvasAgg(figure)
    axes = figure.add_axes((0, 0, 1, 1))
    axes.set_axis_off()
    axes.set(xlim=(0, width), ylim=(height, 0))  # inches from the upper left corner
    axes.text(LEFT, TOP / 2, title, fontsize=12, weight="bold", va="center")
    places = {block.name: block for block in blocks}
    for block in blocks:
        for source in block.sources:
            _arrow(axes, places[source], block)
    for block in blocks:
        _box(axes, block)
    for row, block in {block.row: block for block in reversed(blocks)}.items():
        stride = blocks[0].shape[1] // block.shape[1]
        axes.text(LEFT - 0.15, _y(row), f"stride {stride}", fontsize=9, color=PALE, ha="right", va="center")
    _legend(axes, blocks, height)
    figure.savefig(path)


def _x(column: int) -> float:
    """The left side of the boxes in a column."""
    return LEFT + column * RIGHT


def _y(row: int) -> float:
    """The middle of the boxes in a row."""
    return TOP + row * DOWN + HEIGHT / 2


def _box(axes: Axes, block: Block) -> None:
    from matplotlib.patches import FancyBboxPatch

    x, y = _x(block.column), _y(block.row)
    style = "round,pad=0,rounding_size=0.08"
    axes.add_patch(
        FancyBboxPatch(
            (x, y - HEIGHT / 2), WIDTH, HEIGHT, boxstyle=style, facecolor=COLOURS[block.role], edgecolor=EDGE, zorder=2
        )
    )
    lines = (
        (-0.24, block.name.removeprefix("trunk.").removeprefix("tasks."), 9.5, "bold", INK),
        (0.0, block.content, 8.5, "normal", INK),
        (0.23, " × ".join(map(str, block.shape)), 8.5, "normal", PALE),
    )
    for offset, text, size, weight, colour in lines:
        axes.text(
            _middle(block), y + offset, text, fontsize=size, weight=weight, color=colour, ha="center", va="center"
        )


def _arrow(axes: Axes, source: Block, target: Block) -> None:
    """Straight within a column or a row; else sideways first, then up or down."""
    down = 1 if target.row > source.row else -1
    side, bottom = (_x(source.column) + WIDTH, _y(source.row)), (_middle(source), _y(source.row) + down * HEIGHT / 2)
    left, top = (_x(target.column), _y(target.row)), (_middle(target), _y(target.row) - down * HEIGHT / 2)
    start, end = bottom if source.column == target.column else side, left if source.row == target.row else top
    bent = source.column != target.column and source.row != target.row
    style = {
        "arrowstyle": "-|>", "color": EDGE, "shrinkA": 0, "shrinkB": 0, "linewidth": 1.2,
        "connectionstyle": "angle,angleA=0,angleB=90" if bent else "arc3",
    }  # fmt: skip
    axes.annotate("", xy=end, xytext=start, arrowprops=style, zorder=1)


def _middle(block: Block) -> float:
    return _x(block.column) + WIDTH / 2


def _legend(axes: Axes, blocks: Sequence[Block], height: float) -> None:
    from matplotlib.patches import Rectangle

    y, here = height - BOTTOM / 2, {block.role for block in blocks}
    knowing = any(sign in block.layers for block in blocks for sign in SIGNS.values())
    for place, role in enumerate(role for role in Role if role in here):
        x = LEFT + place * 2.0
        axes.add_patch(Rectangle((x, y - 0.09), 0.18, 0.18, facecolor=COLOURS[role], edgecolor=EDGE))
        text = f"{role.value}, z: implicit knowledge" if role is Role.HEAD and knowing else role.value
        axes.text(x + 0.28, y, text, fontsize=9, va="center")
