"""A model on this machine: every engine and precision, stage by stage, beside what the machine could do."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

from tacit.bench.contest import FORWARD, Contestant, Ours, Round, turns
from tacit.bench.entrants import Eager
from tacit.bench.machine import this_machine
from tacit.bench.memory import memory_of
from tacit.bench.peak import peaks
from tacit.bench.report import OFFICIAL, Line, Report, forward, stages_of, stand_in, times_as_fast, total_of, whole
from tacit.bench.stranger import Stranger
from tacit.bench.workshop import Workshop
from tacit.describe import describe
from tacit.network import Network
from tacit.results import DETECT
from tacit.runtime.agreement import Gap, gaps
from tacit.runtime.engine import Precision
from tacit.runtime.probe import Seen, photographs
from tacit.runtime.ways import Way
from tacit.stages import Stages
from tacit.weights.record import Record

EAGER = "eager"
Tell = Callable[[str], None]


@dataclass(frozen=True, eq=False)
class Subject:
    """What is measured: a network with the record of its weights, and where these come from, for people."""

    network: Network
    record: Record
    weights: str
    learned: bool = True
    """Else boxes are noise, and of the differences only that of the tensors says something."""

    def only(self, tasks: Sequence[str]) -> Subject:
        """With these tasks and those that they need. Raises ConfigError for one that it does not have."""
        network, plans = self.network.only(tasks), self.record.plans()
        record = replace(self.record, tasks={name: plans[name] for name in network.tasks})
        return replace(self, network=network, record=record)


@dataclass(frozen=True, kw_only=True)
class Wishes:
    """How it is measured."""

    size: int
    ways: Sequence[Way]
    against: Path | None = None
    """Another ONNX model."""
    memory: bool = True
    """Whether each is started once more, in a process of its own."""


@dataclass(frozen=True, kw_only=True)
class Field:
    """Who takes part: the stand-in for the official code, ours, and a stranger or none."""

    eager: Ours
    ours: Mapping[Way, Ours]
    other: Stranger | None

    def everybody(self) -> list[Contestant]:
        """In the order of the table."""
        return [self.eager, *self.ours.values(), *([self.other] if self.other else [])]


def measure(subject: Subject, wishes: Wishes, rounds: Iterable[int], tell: Tell = lambda _: None) -> Report:
    """All figures. `tell` hears what is being done; `rounds` are gone through while the contestants take turns.

    Raises ConfigError for a size that the network cannot take, and for an engine that is not installed; WeightsError
    for another model that cannot be compared.
    """
    with tempfile.TemporaryDirectory() as folder:
        workshop = Workshop(subject.network, subject.record, wishes.size, Path(folder))
        field = _field(workshop, wishes, tell)
        tell("comparing answers")
        exact = field.eager.seen(photographs())
        differences = {way: gaps(exact, one.seen(photographs())) for way, one in field.ours.items()}
        tell("measuring")
        before = peaks()
        taken = stand_in(turns(field.everybody(), photographs(), rounds), EAGER)
        after = peaks()
        best = {precision: max(rate, after[precision]) for precision, rate in before.items()}
        report = _report(subject, wishes, len(taken), best)
        lines = [_line(report, taken, field, OFFICIAL, Precision.FP32)]
        for way, found in differences.items():
            found = found if subject.learned else {Gap.RAW: found[Gap.RAW]}
            line = _line(report, taken, field, str(way), way.precision)
            lines.append(
                replace(line, gaps=found, file_size=workshop.bytes_of(way), memory=_memory(workshop, wishes, way))
            )
    other = field.other
    if other:
        lines.append(Line(label=other.label, stages=stages_of(taken, other.label), total=total_of(taken, other.label)))
    candidates = _candidates(exact, field.eager.stages.thresholds.confidence)
    told = f"{other.label} at {other.told()}" if other else ""
    return replace(report, candidates=candidates, lines=tuple(lines), other=told)


def _field(workshop: Workshop, wishes: Wishes, tell: Tell) -> Field:
    stages = Stages(workshop.network, workshop.record.classes, wishes.size)  # refuses a size before the work
    other = None if wishes.against is None else Stranger(wishes.against, wishes.size)
    eager = Ours(EAGER, replace(stages, engine=Eager(workshop.network.fold())))
    ours = dict[Way, Ours]()
    for way in wishes.ways:
        tell(f"building {way}")
        own = replace(stages, network=workshop.folded, engine=workshop.engine(way), seconds={})
        ours[way] = Ours(str(way), own)
    return Field(eager=eager, ours=ours, other=other)


def _report(subject: Subject, wishes: Wishes, rounds: int, best: dict[Precision, float]) -> Report:
    """What is known before the lines."""
    return Report(
        model=subject.record.model,
        weights=subject.weights,
        size=wishes.size,
        tasks=tuple(subject.network.tasks),
        gflops=describe(subject.network, wishes.size).gflops,
        candidates=None,
        date=datetime.now().astimezone().date().isoformat(),
        rounds=rounds,
        machine=this_machine(),
        peaks=best,
        lines=(),
    )


def _line(report: Report, taken: Sequence[Round], field: Field, label: str, precision: Precision) -> Line:
    stages = stages_of(taken, label)
    rate = report.gflops / stages[FORWARD].median
    return Line(
        label=label,
        precision=precision,
        stages=stages,
        total=total_of(taken, label),
        ratio=times_as_fast(taken, label, OFFICIAL, whole),
        against=times_as_fast(taken, label, field.other.label, forward) if field.other else None,
        gflops=rate,
        share_of_peak=rate / report.peaks[precision] if precision in report.peaks else None,
    )


def _memory(workshop: Workshop, wishes: Wishes, way: Way) -> int | None:
    return memory_of(way, workshop.weights, workshop.file(way), wishes.size) if wishes.memory else None


def _candidates(exact: Seen, confidence: float) -> float | None:
    rows = [answers[DETECT]["rows"] for answers in exact.answers if DETECT in answers]
    if not rows:
        return None
    return sum(int((each[..., 5:] * each[..., 4:5] > confidence).sum()) for each in rows) / len(rows)
