"""What tasks know before they look, as pictures."""

from __future__ import annotations

from collections.abc import Sequence
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch
from jaxtyping import Float, UInt8
from torch import Tensor

from tacit.data.images import load_image
from tacit.errors import ConfigError
from tacit.geometry.letterbox import letterbox
from tacit.knowledge_view import Alignment, Cells, Constant, alignments_of, constants_of, gap
from tacit.network import Network
from tacit.results import DETECT
from tacit.tasks.detect.head import Detect

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

QUANTITIES = {"x, y": slice(0, 2), "w, h": slice(2, 4), "objectness": slice(4, 5), "classes": slice(5, None)}
"""Of one anchor, in the order of its channels."""
COLOURS = ("#1f77b4", "#2ca02c", "#d62728", "#7f7f7f", "#9467bd")
PALE, DPI = "#999999", 110
SHOWN = 400  # cells of a level, as dots


def save_knowledge(network: Network, size: int, folder: Path) -> list[Path]:
    """Draws what the network's tasks have learned without looking, for pictures of `size` pixels; gives the files.

    knowledge-detect.png (Fig. 9 of the paper), knowledge-tasks.png, and knowledge-alignment.png (Fig. 4) on the sample
    photographs. What the network has nothing of is not drawn. Raises ConfigError where there is nothing at all.
    """
    constants = constants_of(network)
    if not constants:
        raise ConfigError("this network has no knowledge to draw", allowed="one with knowledge, and not folded yet")
    folder.mkdir(parents=True, exist_ok=True)
    drawn = {
        "detect": prediction_figure(network),
        "tasks": task_figure(constants),
        "alignment": alignment_figure(alignments_of(network, samples(size))),
    }
    paths = list[Path]()
    for name, figure in drawn.items():
        if figure is not None:
            paths.append(folder / f"knowledge-{name}.png")
            figure.savefig(paths[-1], dpi=DPI)
    return paths


def samples(size: int) -> Float[Tensor, "b 3 h w"]:
    """The middle squares of the sample photographs, as a network takes them: a border would have cells too."""
    folder = Path(str(files("tacit") / "samples"))
    pictures = [letterbox(_middle(load_image(path)), size)[0] for path in sorted(folder.glob("*.jpg"))]
    return torch.from_numpy(np.stack(pictures)).permute(0, 3, 1, 2).float() / 255


def prediction_figure(network: Network) -> Figure | None:
    """What refines detection's answers, level by level: 3 x [(x, y), (w, h), objectness, classes] in the paper."""
    behind = [
        one for one in constants_of(network) if one.task == DETECT and not one.ahead and one.combine.where is None
    ]
    if not behind:
        return None
    detect = network.task(DETECT)
    assert isinstance(detect, Detect)
    figure = _figure(11, 0.6 + 1.9 * len(behind))
    rows = figure.subplots(len(behind), 1, sharey=True, squeeze=False)[:, 0]
    for axes, constant, stride in zip(rows, behind, detect.strides, strict=True):
        _draw_predictions(axes, constant, 5 + detect.classes)
        axes.set_ylabel(f"stride {stride}")
    rows[-1].set_xlabel(f"channel: {len(detect.anchor_sizes[0])} anchors of {5 + detect.classes} values")
    handles, labels = rows[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside upper center", ncols=len(QUANTITIES), frameon=False)
    return figure


def task_figure(constants: Sequence[Constant]) -> Figure:
    """A row for each task: what stands in front of its convolutions to the left, what stands behind them to the right.

    Values are told beside the neutral one (0 where they are added, 1 where they multiply), place by place.
    """
    tasks = tuple(dict.fromkeys(constant.task for constant in constants))
    figure = _figure(11, 0.5 + 1.3 * len(tasks))
    grid = figure.subplots(len(tasks), 2, squeeze=False, sharey="col")
    for row, task in zip(grid, tasks, strict=True):
        for axes, ahead in zip(row, (True, False), strict=True):
            own = [one for one in constants if one.task == task and one.ahead is ahead]
            _draw_places(axes, own)
        row[0].set_ylabel(task)
    grid[0][0].set_title("in front of its convolutions: alignment", fontsize=10)
    grid[0][1].set_title("behind them: refinement", fontsize=10)
    return figure


def alignment_figure(alignments: Sequence[Alignment]) -> Figure | None:
    """A row for each place: dots are cells, colours are levels; left without the knowledge, right with it."""
    if not alignments:
        return None
    figure = _figure(9, 0.4 + 3.0 * len(alignments))
    strides = sorted({stride for one in alignments for stride in one.strides})
    grid = figure.subplots(len(alignments), 2, squeeze=False, sharex="row", sharey="row")
    for row, one in zip(grid, alignments, strict=True):
        axis = plane(one)
        for axes, levels, title in zip(row, (one.without, one.bent), ("without z", "with z"), strict=True):
            for stride, cells in zip(one.strides, levels, strict=True):
                _draw_cells(axes, cells @ axis, COLOURS[strides.index(stride) % len(COLOURS)], f"stride {stride}")
            axes.set_title(f"{one.task} ({one.place}) {title}: levels apart {gap(levels):.2f}", fontsize=10)
        told = ("objectness", "score of a class") if one.task == DETECT else ("first direction", "second direction")
        row[0].set(xlabel=told[0], ylabel=told[1])
        row[1].set_xlabel(told[0])
    grid[0][0].legend(frameon=False)
    return figure


def plane(alignment: Alignment) -> Float[np.ndarray, "values 2"]:
    """What to look along: the two values of detection themselves, else the two main directions of all answers."""
    answers = np.concatenate([*alignment.without, *alignment.bent])
    if answers.shape[1] == 2:
        return np.eye(2, dtype=np.float32)
    axes: np.ndarray = np.linalg.svd(answers - answers.mean(0), full_matrices=False)[2][:2].T
    return axes


def _middle(image: UInt8[np.ndarray, "h w 3"]) -> UInt8[np.ndarray, "side side 3"]:
    height, width = image.shape[:2]
    side = min(height, width)
    top, left = (height - side) // 2, (width - side) // 2
    return image[top : top + side, left : left + side]


def _draw_predictions(axes: Axes, constant: Constant, values: int) -> None:
    channels, neutral = np.arange(constant.combine.channels), constant.combine.neutral
    for (name, part), colour in zip(QUANTITIES.items(), ("#1f77b4", "#2ca02c", "#d62728", PALE), strict=True):
        mine = channels.reshape(-1, values)[:, part].ravel()
        axes.vlines(mine, neutral, constant.values[mine], color=colour, linewidth=1.6, label=name)
    for edge in channels[values::values]:
        axes.axvline(edge - 0.5, color="black", linewidth=0.6)
    axes.axhline(neutral, color="black", linewidth=0.6)
    axes.margins(x=0.005)


def _draw_places(axes: Axes, constants: Sequence[Constant]) -> None:
    start = 0
    for number, constant in enumerate(constants):
        values = constant.values - constant.combine.neutral
        axes.vlines(
            np.arange(start, start + len(values)), 0, values, color=COLOURS[number % len(COLOURS)], linewidth=0.8
        )
        start += len(values)
    axes.axhline(0, color="black", linewidth=0.6)
    axes.margins(x=0.005)
    axes.set_xlabel(f"{start:,} values, a colour a place", fontsize=8)


def _draw_cells(axes: Axes, points: Cells, colour: str, label: str) -> None:
    some = points[np.linspace(0, len(points) - 1, min(SHOWN, len(points))).astype(int)]
    axes.plot(*some.T, ".", color=colour, markersize=3, alpha=0.4)
    axes.plot(*points.mean(0), "o", color=colour, markersize=10, markeredgecolor="black", label=label)


def _figure(width: float, height: float) -> Figure:
    from matplotlib.figure import Figure  # drawn by Agg: needs no display, and leaves pyplot's state alone

    return Figure(figsize=(width, height), layout="constrained")
