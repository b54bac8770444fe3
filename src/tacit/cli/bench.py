"""`tacit bench`: this machine's peak, and what every engine and precision makes of it with a model."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import torch
from tyro.conf import Positional, arg

from tacit.api import create, load
from tacit.bench.entrants import entrants
from tacit.bench.files import write
from tacit.bench.measure import Subject, Wishes, measure
from tacit.bench.random_weights import settle
from tacit.bench.table import header, notes, rows
from tacit.cli.screen import parse, say, show_table, warn, with_progress
from tacit.errors import ConfigError
from tacit.runtime.probe import photographs
from tacit.runtime.wish import EngineKind, PrecisionKind, meant
from tacit.training.typed_json import separated
from tacit.weights.download import cached
from tacit.weights.files import bundled
from tacit.weights.published import PUBLISHED
from tacit.zoo import MODELS

CLASSES = 80  # of a network that has learned none
NO_WEIGHTS = "random weights"


@dataclass(frozen=True, kw_only=True)
class Options:
    """Measure how fast this machine answers with a model: every engine, every precision, stage by stage."""

    what: Annotated[str, Positional, arg(metavar="WEIGHTS|NAME")] = "nano"
    """Weights file, or a model by name ('tacit models' lists them); where it has no weights here, random ones do."""
    size: int | None = None
    """Side of the input in pixels; without it the model's own."""
    engines: tuple[str, ...] = ()
    """Such as torch,openvino; without it all that are installed."""
    precisions: tuple[str, ...] = ()
    """Such as fp32,bf16; without it all that the processor has."""
    tasks: tuple[str, ...] = ()
    """What to answer, such as detect,pose; without it all that the weights know."""
    against: Path | None = None
    """Another ONNX model, which takes part with its pass alone."""
    rounds: int = 20
    """How often everybody has a turn."""
    memory: bool = True
    """Memory is measured, in a process for each engine, unless this is given."""
    output: Path | None = None
    """Folder for the table as Markdown and JSON, and a drawing; without it nothing is written."""

    def __post_init__(self) -> None:
        if self.rounds < 1:
            raise ConfigError(f"--rounds is {self.rounds}", allowed="whole numbers from 1")

    def subject(self) -> Subject:
        """Raises ConfigError and WeightsError."""
        whole = _subject(self.what)
        return whole.only(separated(self.tasks)) if self.tasks else whole


def run(arguments: Sequence[str]) -> int:
    """Measures, shows, and writes what was asked for."""
    options = parse(Options, arguments, "bench")
    engines = [meant(EngineKind, name) for name in separated(options.engines)]
    precisions = [meant(PrecisionKind, name) for name in separated(options.precisions)]
    ways = entrants(engines, precisions)
    subject = options.subject()
    size = options.size or subject.record.input_size
    wishes = Wishes(size=size, ways=ways, against=options.against, memory=options.memory)
    report = measure(subject, wishes, with_progress(range(options.rounds), options.rounds, "rounds"), warn)
    show_table(f"{report.model} at {report.size} pixels", header(report), rows(report))
    for note in notes(report):
        say(note)
    if options.output is not None:
        for path in write(report, options.output):
            say(f"written to {path}")
    return 0


def _subject(what: str) -> Subject:
    """Weights where there are any of that name, and else a network that has learned nothing."""
    here = Path(what).is_file() or bundled(what) is not None or cached(what) is not None
    foreign = what not in MODELS and (what in PUBLISHED or Path(what).suffix)
    if here or foreign:
        model = load(what)
        if model.engine is not None:
            raise ConfigError(f"{what} is an exported model", allowed="weights", fix=f"--against {what}")
        return Subject(model.network, model.record, Path(what).name)
    with torch.random.fork_rng():  # the same every time: then the export is in the cache
        torch.manual_seed(0)
        model = create(what, CLASSES)
    settle(model.network, photographs())
    return Subject(model.network, model.record, NO_WEIGHTS, learned=False)
