"""A report as a table: a contestant a column, a figure a row."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial

from tacit.bench.contest import STAGES
from tacit.bench.report import OFFICIAL, STAND_IN, Line, Report, Spread
from tacit.runtime.agreement import LIMITS
from tacit.runtime.engine import Precision

NONE = "-"
MEGA = 1e6


def header(report: Report) -> list[str]:
    """The first row."""
    return ["", *(line.label for line in report.lines)]


def rows(report: Report) -> list[list[str]]:
    """The others; those that nobody has a figure for are left out."""
    told = [(name, [cell(line) for line in report.lines]) for name, cell in _figures()]
    return [[name, *cells] for name, cells in told if set(cells) != {NONE}]


def notes(report: Report) -> Iterator[str]:
    """What has to be known to read it, a line each."""
    yield (
        f"{report.model}, {report.weights}, {report.size} x {report.size} pixels, one photograph at a time, "
        f"{', '.join(report.tasks)}: {report.gflops:.2f} GFLOPs a pass (2 x multiplications and additions of the "
        "convolutions)"
    )
    yield f"machine: {report.machine.told()}"
    yield f"peak of one convolution, GFLOP/s: {_peaks(report)}"
    yield (
        f"{report.rounds} rounds on {report.date}; all take turns on the same photograph; times are medians, ± half of "
        "what lies between the quartiles; x is how many times as fast: the median of the ratios within a round"
    )
    yield (
        f"{OFFICIAL}: the official code in eager mode, which nobody ran: the folded network in plain eager "
        f"float32, channels first, x {STAND_IN}"
    )
    yield (
        "difference: the largest to plain float32 on the sample photographs, seen from what its precision is allowed "
        "(in brackets)"
    )
    if any(line.memory is not None for line in report.lines):
        yield "memory: the most that a process takes more with network, engine and its library, in a pass"
    if any(line.precision is Precision.INT8 for line in report.lines):
        yield "int8 was calibrated on the sample photographs alone, which is enough for its speed"
    if report.candidates is not None:
        yield f"suppression had {report.candidates:.0f} candidates a photograph on average"
    if report.other:
        yield f"other model: {report.other}, its pass alone, in onnxruntime"


def _figures() -> Iterator[tuple[str, Callable[[Line], str]]]:
    for stage in STAGES:
        yield f"{stage}, ms", partial(_stage, stage)
    yield "all, ms", lambda line: _milliseconds(line.total)
    yield "photographs/s", lambda line: f"{line.per_second:.1f}"
    yield "x official", lambda line: _times(line.ratio)
    yield "x other, pass", lambda line: _times(line.against)
    yield "GFLOP/s in the pass", lambda line: NONE if line.gflops is None else f"{line.gflops:.0f}"
    yield "% of peak", lambda line: NONE if line.share_of_peak is None else f"{100 * line.share_of_peak:.0f}"
    yield "memory, MB", lambda line: _mega(line.memory)
    yield "file, MB", lambda line: _mega(line.file_size)
    yield "difference", _difference


def _stage(stage: str, line: Line) -> str:
    return _milliseconds(line.stages.get(stage))


def _milliseconds(spread: Spread | None) -> str:
    if spread is None:
        return NONE
    half = 500 * (spread.high - spread.low)
    digits = 1 if spread.median < 1 else 0
    return f"{1000 * spread.median:.{digits}f} ± {half:.{digits}f}"


def _times(spread: Spread | None) -> str:
    return NONE if spread is None else f"{spread.median:.2f}"


def _mega(count: int | None) -> str:
    return NONE if count is None else f"{count / MEGA:.1f}"


def _difference(line: Line) -> str:
    worst = line.worst()
    if worst is None or line.precision is None:
        return NONE
    gap, value = worst
    return f"{gap.value} {value:.2g} ({LIMITS[line.precision][gap]:g})"


def _peaks(report: Report) -> str:
    told = {precision: report.peaks.get(precision) for precision in Precision}
    return ", ".join(f"{each.value} {NONE if rate is None else f'{rate:.0f}'}" for each, rate in told.items())


def grid(lines: Sequence[Sequence[str]]) -> str:
    """As Markdown; the first line is the header."""
    head, *others = (f"| {' | '.join(line)} |" for line in lines)
    return "\n".join([head, "|---" + "|---:" * (len(lines[0]) - 1) + "|", *others])
