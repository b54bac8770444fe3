"""The curves of a run as one PNG: losses, accuracy, learning rate."""

from __future__ import annotations

from typing import BinaryIO

from tacit.training.reporter import Row


def draw_curves(rows: list[Row], file: BinaryIO) -> None:
    """One panel a quantity over the epochs; quantities that some epochs lack are drawn where they are known."""
    from matplotlib.figure import Figure  # a slow import, needed only here

    panels = {
        "loss": [name for name in rows[-1] if "/" in name],
        "accuracy": ["ap", "ap50"],
        "learning rate": ["learning_rate"],
    }
    figure = Figure(figsize=(12, 3.6), layout="constrained")
    for axes, (title, names) in zip(figure.subplots(1, len(panels)), panels.items(), strict=True):
        for name in names:
            points = [(row["epoch"], row[name]) for row in rows if name in row]
            axes.plot(
                *zip(*points, strict=True) if points else ([], []), marker=".", label=name.removeprefix("detect/")
            )
        axes.set_title(title)
        axes.set_xlabel("epoch")
        axes.grid(alpha=0.3)
        axes.legend(frameon=False)
    figure.savefig(file, format="png", dpi=110)
