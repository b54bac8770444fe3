"""A study as a drawing: every seed a dot, the variants one below the other; beside it the paired differences."""

from __future__ import annotations

from typing import TYPE_CHECKING, BinaryIO

from tacit.results import DETECT

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from tacit.training.study_table import Difference, Line, Spread, Table

DOT, MEAN, CLEAR = "0.65", "black", "tab:blue"  # colours: a seed, their mean, a difference beyond twice its error
INCHES_A_LINE, INCHES_AROUND = 0.36, 1.1
NAMES = {"ap": "AP", "ap50": "AP50"}


def name_of(figure: str) -> str:
    """A figure's name for people: `AP`, `tags map`."""
    return NAMES.get(figure, figure.replace("/", " ").replace("_", " "))


def draw_study(table: Table, file: BinaryIO) -> None:
    """A row of two panels for each task: its main figure, and the differences with twice their standard error."""
    from matplotlib.figure import Figure  # a slow import, needed only here

    panels = [(name, [line for line in table.lines if name in line.figures]) for name in _main(table)]
    heights = [INCHES_A_LINE * len(lines) + INCHES_AROUND for _, lines in panels]
    figure = Figure(figsize=(11, sum(heights) + 0.5), layout="constrained")
    figure.suptitle(f"{table.title}: {_told(table)}", fontsize=11)
    grid = figure.subplots(len(panels), 2, squeeze=False, height_ratios=heights)
    for (left, right), (name, lines) in zip(grid, panels, strict=True):
        _draw_values(left, name, lines)
        _draw_differences(right, name, lines)
    figure.savefig(file, format="png", dpi=120)


def _main(table: Table) -> list[str]:
    """The first of the shown figures of each task."""
    first = dict[str, str]()
    for name in table.shown:
        first.setdefault(name.partition("/")[0] if "/" in name else DETECT, name)
    return list(first.values())


def _told(table: Table) -> str:
    recipe, seeds = table.recipe, len(table.seeds)
    return f"{recipe.model} at {recipe.size} px, {recipe.epochs} epochs, {seeds} seed{'s' if seeds > 1 else ''}"


def _draw_values(axes: Axes, name: str, lines: list[Line]) -> None:
    for place, line in enumerate(lines):
        _draw_spread(axes, place, line.figures[name], line.figures[name].deviation, MEAN)
    _dress(axes, [line.variant.label for line in lines], f"{name_of(name)}, %: mean ± standard deviation")


def _draw_differences(axes: Axes, name: str, lines: list[Line]) -> None:
    axes.axvline(0, color="0.5", linewidth=1)
    labels = list[str]()
    for place, line in enumerate(lines):
        one = next((one for one in line.differences if one.figure == name), None)
        labels.append("" if one is None else f"against {one.against}")
        if one is not None:
            error = one.spread.error
            _draw_spread(axes, place, one.spread, None if error is None else 2 * error, _colour(one))
    _dress(axes, labels, "difference by seed: mean ± 2 standard errors")


def _draw_spread(axes: Axes, place: int, spread: Spread, reach: float | None, colour: str) -> None:
    seeds = [100 * value for value in spread.by_seed.values()]
    axes.plot(seeds, [place] * len(seeds), "o", color=DOT, markersize=5, zorder=1)
    bar = None if reach is None else 100 * reach
    axes.errorbar(100 * spread.mean, place, xerr=bar, fmt="|", color=colour, markersize=11, capsize=4, zorder=2)


def _colour(one: Difference) -> str:
    return CLEAR if one.clear else MEAN


def _dress(axes: Axes, labels: list[str], title: str) -> None:
    axes.set_yticks(range(len(labels)), labels)
    axes.set_ylim(len(labels) - 0.5, -0.5)  # the first on top
    axes.tick_params(axis="y", length=0)
    axes.set_title(title, fontsize=9)
    axes.grid(axis="x", alpha=0.3)
    axes.spines[["top", "right"]].set_visible(False)
