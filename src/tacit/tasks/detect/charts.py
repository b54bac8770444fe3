"""Pictures of a score: precision-recall curves and the confusion matrix, as PNG.

Both stay readable with many classes: they show the SHOWN classes with the most labels, and the rest together.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import Int64

from tacit.tasks.detect.matching import RECALLS, Curves

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

SHOWN = 20
DPI = 120


def save_precision_recall(curves: Curves, names: Sequence[str], path: Path) -> None:
    """Precision over recall at IoU 0.5, a line a class with the area below it, and the mean of all classes."""
    figure = _figure(width=9.0, height=6.0)
    axes = figure.add_subplot()
    often = np.argsort(-curves.labels, kind="stable")[:SHOWN]
    for place, row in enumerate(often):
        label = f"{names[curves.classes[row]]} {curves.envelope[row].mean():.2f}"
        axes.plot(RECALLS, curves.envelope[row], color=_colour(place), linewidth=1, label=label)
    if len(curves.classes):
        label = f"all {len(curves.classes)} classes {curves.envelope.mean():.2f}"
        axes.plot(RECALLS, curves.envelope.mean(0), color="black", linewidth=3, label=label)
        figure.legend(loc="outside right upper", fontsize=8, title="area below (AP50)", title_fontsize=8)
    axes.set(xlim=(0, 1), ylim=(0, 1.01), xlabel="recall", ylabel="precision", title="Precision and recall, IoU 0.5")
    axes.grid(color="0.9")
    figure.savefig(path, dpi=DPI)


def save_confusion_matrix(matrix: Int64[np.ndarray, "labelled predicted"], names: Sequence[str], path: Path) -> None:
    """What became of the labels of each class, in percent of its row.

    `matrix` counts labelled class by predicted class, "nothing" last. The last row shows of which class the detections
    are that no label stands for.
    """
    table, rows, columns = _most_frequent(matrix, names)
    share = table / np.maximum(table.sum(1, keepdims=True), 1)
    side = 3 + 0.4 * len(columns)
    figure = _figure(width=side + 1, height=side)
    axes = figure.add_subplot()
    axes.imshow(share, cmap="Blues", vmin=0, vmax=1)
    axes.set_xticks(range(len(columns)), columns, rotation=90, fontsize=8)
    axes.set_yticks(range(len(rows)), rows, fontsize=8)
    axes.set(xlabel="detected as", ylabel="labelled as (boxes)", title="Confusion, % of each row")
    _write_cells(axes, share)
    figure.savefig(path, dpi=DPI)


def _most_frequent(matrix: np.ndarray, names: Sequence[str]) -> tuple[np.ndarray, list[str], list[str]]:
    """The rows of the SHOWN most labelled classes and of nothing; in the columns the other classes are one."""
    counts, nothing = matrix[:-1].sum(1), len(names)
    often = np.argsort(-counts, kind="stable")[:SHOWN]
    others = np.setdiff1d(np.arange(nothing), often)
    part = matrix[np.append(often, nothing)]
    summed = [part[:, others].sum(1, keepdims=True)] if len(others) else []
    table = np.concatenate([part[:, often], *summed, part[:, [nothing]]], 1)
    rows = [f"{names[index]} ({counts[index]})" for index in often] + [f"nothing ({matrix[-1].sum()})"]
    columns = [names[index] for index in often] + [f"{len(others)} others"] * len(summed) + ["nothing"]
    return table, rows, columns


def _write_cells(axes: Axes, share: np.ndarray) -> None:
    for row, column in np.argwhere(share >= 0.005):
        value = share[row, column]
        axes.text(
            column, row, f"{100 * value:.0f}", ha="center", va="center", fontsize=7, color=_ink(value)
        )  # fmt: skip


def _ink(value: float) -> str:
    return "white" if value > 0.5 else "black"


def _colour(place: int) -> tuple[float, float, float]:
    from matplotlib import colormaps

    red, green, blue, _ = colormaps["tab20"](place % 20)
    return red, green, blue


def _figure(width: float, height: float) -> Figure:
    from matplotlib.figure import Figure  # drawn by Agg: needs no display, and leaves pyplot's state alone

    return Figure(figsize=(width, height), layout="constrained")
