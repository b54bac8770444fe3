"""What was measured, as figures with names."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

from tacit.bench.contest import FORWARD, STAGES, Round, Seconds
from tacit.bench.machine import Machine
from tacit.runtime.agreement import LIMITS, Gap
from tacit.runtime.engine import Precision

STAND_IN = 1.1
"""The official code in eager mode takes so many times as long as our folded network in eager mode."""
OFFICIAL = "official (stand-in)"


@dataclass(frozen=True, kw_only=True)
class Spread:
    """The median over the rounds, and the quartiles around it."""

    median: float
    low: float
    high: float

    @classmethod
    def of(cls, values: Iterable[float]) -> Spread:
        """Of at least one value."""
        ordered = sorted(values)
        low, median, high = statistics.quantiles(ordered, n=4, method="inclusive") if len(ordered) > 1 else 3 * ordered
        return cls(median=median, low=low, high=high)


@dataclass(frozen=True, kw_only=True)
class Line:
    """One contestant."""

    label: str
    precision: Precision | None = None
    """None of a stranger."""
    stages: dict[str, Spread]
    """Seconds of one photograph by stage."""
    total: Spread
    """Seconds of one photograph, from its pixels to its answers."""
    ratio: Spread | None = None
    """How many times as fast as the stand-in for the official code, all stages."""
    against: Spread | None = None
    """How many times as fast as the other model, the pass alone."""
    gflops: float | None = None
    """Thousands of millions of operations a second in the pass, of those of the convolutions."""
    share_of_peak: float | None = None
    """That as a part of what this machine reaches in one convolution of this precision."""
    memory: int | None = None
    """Bytes, see `memory.memory_of`."""
    file_size: int | None = None
    """Bytes of the weights, or of the exported model."""
    gaps: dict[Gap, float] = field(default_factory=dict)
    """Differences to torch in float32 (`runtime.agreement`)."""

    @property
    def per_second(self) -> float:
        """Photographs, one after the other."""
        return 1 / self.total.median

    def worst(self) -> tuple[Gap, float] | None:
        """Which difference comes nearest to what is allowed, or exceeds it most; with its size."""
        if self.precision is None or not self.gaps:
            return None
        limits = LIMITS[self.precision]
        gap = max(self.gaps, key=lambda each: (self.gaps[each] > limits[each], self.gaps[each] / (limits[each] or 1)))
        return gap, self.gaps[gap]


@dataclass(frozen=True, kw_only=True)
class Report:
    """One model on one machine on one day."""

    model: str
    weights: str
    """Where they come from."""
    size: int
    """Side of the input in pixels."""
    tasks: tuple[str, ...]
    gflops: float
    """Of one pass: two for every multiplication and addition of the convolutions."""
    candidates: float | None
    """Boxes a photograph that suppression has to settle, on average; None where nothing is detected."""
    date: str
    rounds: int
    machine: Machine
    peaks: dict[Precision, float]
    """GFLOP/s of one convolution."""
    lines: tuple[Line, ...]
    other: str = ""
    """The other model, with the side of its input."""


def stand_in(rounds: Sequence[Round], eager: str) -> list[Round]:
    """The rounds with the official code's line, of the one called `eager`."""
    return [{OFFICIAL: _scaled(one[eager]), **one} for one in rounds]


def stages_of(rounds: Sequence[Round], label: str) -> dict[str, Spread]:
    """The spread of every stage."""
    return {stage: Spread.of(one[label][stage] for one in rounds) for stage in STAGES if stage in rounds[0][label]}


def total_of(rounds: Sequence[Round], label: str) -> Spread:
    """The spread of all stages together."""
    return Spread.of(whole(one[label]) for one in rounds)


def times_as_fast(rounds: Sequence[Round], label: str, other: str, what: Callable[[Seconds], float]) -> Spread:
    """Ratios within a round, of the same photograph at the same time."""
    return Spread.of(what(one[other]) / what(one[label]) for one in rounds)


def whole(seconds: Seconds) -> float:
    """All stages."""
    return sum(seconds.values())


def forward(seconds: Seconds) -> float:
    """The pass alone."""
    return seconds[FORWARD]


def _scaled(seconds: Seconds) -> Seconds:
    return {stage: STAND_IN * value for stage, value in seconds.items()}
