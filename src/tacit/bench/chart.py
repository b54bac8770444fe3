"""A report as a drawing: where the time goes, and how near the pass comes to what the machine can do."""

from __future__ import annotations

from typing import TYPE_CHECKING, BinaryIO

from tacit.bench.contest import STAGES

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from tacit.bench.report import Line, Report

COLOURS = dict(zip(STAGES, ("tab:gray", "tab:blue", "tab:orange"), strict=True))
INCHES_A_LINE, INCHES_AROUND = 0.42, 1.9


def draw(report: Report, file: BinaryIO) -> None:
    """A PNG of two panels, the contestants one below the other."""
    from matplotlib.figure import Figure  # a slow import, needed only here

    figure = Figure(figsize=(12, INCHES_A_LINE * len(report.lines) + INCHES_AROUND), layout="constrained")
    figure.suptitle(
        f"{report.model} at {report.size} px, one photograph at a time; {report.machine.processor}, "
        f"{report.machine.threads} threads, {report.date}",
        fontsize=10,
    )
    left, right = figure.subplots(1, 2, sharey=True)
    _draw_times(left, report)
    _draw_rates(right, report)
    left.set_yticks(range(len(report.lines)), [line.label for line in report.lines])
    left.invert_yaxis()  # reads from above, as the table
    figure.savefig(file, format="png", dpi=120)


def _draw_times(axes: Axes, report: Report) -> None:
    for place, line in enumerate(report.lines):
        start = 0.0
        for stage, spread in line.stages.items():
            width = 1000 * spread.median
            axes.barh(place, width, left=start, color=COLOURS[stage], height=0.6)
            start += width
        axes.annotate(_times_told(line), (start, place), (4, 0), textcoords="offset points", va="center", fontsize=9)
    for stage, colour in COLOURS.items():
        axes.barh(0, 0, color=colour, label=stage)
    axes.legend(fontsize=8, loc="lower right")
    axes.set_xlim(0, 1.3 * max(1000 * line.total.median for line in report.lines))
    _dress(axes, "milliseconds a photograph (times as fast as official)")


def _times_told(line: Line) -> str:
    times = f" ({line.ratio.median:.2f} x)" if line.ratio else ""
    return f"{1000 * line.total.median:.1f}{times}"


def _draw_rates(axes: Axes, report: Report) -> None:
    """Bars, and a black mark where one convolution of that precision gets."""
    most = max([*report.peaks.values(), *(line.gflops or 0 for line in report.lines)])
    for place, line in enumerate(report.lines):
        if line.gflops is None or line.precision is None:
            continue
        axes.barh(place, line.gflops, color=COLOURS["forward"], height=0.6)
        peak = report.peaks.get(line.precision)
        told = f"{line.gflops:.0f}"
        if peak is not None and line.share_of_peak is not None:
            axes.plot([peak, peak], [place - 0.38, place + 0.38], color="black", linewidth=2)
            told += f", {100 * line.share_of_peak:.0f} %"
        at = max(line.gflops, peak or 0)
        axes.annotate(told, (at, place), (4, 0), textcoords="offset points", va="center", fontsize=9)
    axes.set_xlim(0, 1.25 * most)
    _dress(axes, "GFLOP/s in the pass; marks: peak of one convolution in that precision")


def _dress(axes: Axes, title: str) -> None:
    axes.set_title(title, fontsize=9)
    axes.grid(axis="x", color="0.9")
    axes.set_axisbelow(True)
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
