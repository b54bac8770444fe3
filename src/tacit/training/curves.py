"""The curves of a run as PNG: a panel of losses and one of scores for every task, the learning rate, the agreement."""

from __future__ import annotations

from typing import BinaryIO

from tacit.training.reporter import Row

LOSS, SCORE, AGREE = "loss/", " score", " and "  # how their names begin, end, or join two tasks
PLAIN = ("ap", "ap50")
WIDE, HIGH, COLUMNS = 4.2, 3.4, 4  # inches of a panel, and panels in a row


def draw_curves(rows: list[Row], file: BinaryIO) -> None:
    """One panel a group of quantities over the epochs; what some epochs lack is drawn where it is known."""
    from matplotlib.figure import Figure  # a slow import, needed only here

    panels = panels_of(rows[-1])
    columns = min(COLUMNS, len(panels))
    lines = -(-len(panels) // columns)
    figure = Figure(figsize=(WIDE * columns, HIGH * lines), layout="constrained")
    grid = figure.subplots(lines, columns, squeeze=False).flat
    for axes, (title, names) in zip(grid, panels.items(), strict=False):
        for name in names:
            points = [(row["epoch"], row[name]) for row in rows if name in row]
            axes.plot(*zip(*points, strict=True) if points else ([], []), marker=".", label=name.rpartition("/")[2])
        axes.set_title(title)
        axes.set_xlabel("epoch")
        axes.grid(alpha=0.3)
        axes.legend(frameon=False, fontsize="small")
    for axes in list(grid)[len(panels) :]:
        axes.axis("off")
    figure.savefig(file, format="png", dpi=110)


def panels_of(row: Row) -> dict[str, list[str]]:
    """The quantities of a line of the log, by panel: a panel of losses for each task, one of all scores, and so on."""
    panels = {"loss": ["loss"]}
    for name in row:
        if name.startswith(LOSS):
            panels.setdefault(f"loss: {name.removeprefix(LOSS).partition('/')[0]}", []).append(name)
    panels["score"] = [name for name in row if name in PLAIN or name.endswith(SCORE)]
    panels["agreement of gradients (cosine)"] = [name for name in row if AGREE in name]
    panels["learning rate"] = ["learning_rate"]
    return {title: names for title, names in panels.items() if names}
