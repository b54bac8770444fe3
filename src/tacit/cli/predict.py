"""`tacit predict`: files, folders and globs to drawn pictures, JSON lines and COCO JSON."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter
from typing import Annotated

from tyro.conf import Positional, UseAppendAction, arg

from tacit.api import Model, load
from tacit.cli.screen import counted, parse, say, warn, with_progress
from tacit.data.sample import Fault
from tacit.errors import ConfigError
from tacit.predict.pipeline import predict_files
from tacit.predict.sources import Sources, expand
from tacit.predict.writers import CocoJson, JsonLines, Pictures, Writer
from tacit.stages import Thresholds
from tacit.training.typed_json import separated


@dataclass(frozen=True, kw_only=True)
class Options:
    """Answer everything that the weights know about photographs, and draw it."""

    sources: Annotated[tuple[str, ...], Positional, arg(metavar="SOURCES...")]
    """Files, folders (with all below them) and globs such as 'photos/**/*.jpg'."""
    weights: Path | None = None
    """Weights file; without it the bundled nano."""
    knowledge: Annotated[tuple[Path, ...], UseAppendAction] = ()
    """Knowledge file (see tacit teach) whose answers are given too; may be said several times."""
    output: Path = Path("runs/predict")
    """Folder for what is written."""
    confidence: float = 0.25
    """Boxes with a lower score are left out (0 to 1)."""
    iou: float = 0.5
    """Of two boxes of one class that overlap by more than this, the better one stays (0 to 1)."""
    size: int | None = None
    """Input of the network in pixels; without it the size that the weights were chosen at."""
    tasks: tuple[str, ...] = ()
    """What to answer, such as detect,pose; without it all that the weights know."""
    only: tuple[str, ...] = ()
    """Which of these answers to draw; without it all."""
    classes: tuple[str, ...] = ()
    """Only these classes, by name; without it all."""
    batch: int = 8
    """Photographs in one forward pass."""
    json: bool = False
    """Also write results.jsonl, one line a photograph."""
    coco: bool = False
    """Also write results.coco.json."""
    pictures: bool = True
    """Drawn pictures are written unless this is given."""

    def __post_init__(self) -> None:
        if self.batch < 1:
            raise ConfigError(f"--batch is {self.batch}", allowed="whole numbers from 1")

    def chosen(self) -> Sources:
        """The photographs, none of which a drawing may replace. Raises DataError and ConfigError."""
        sources = expand(self.sources, self.output)
        folders = {path.parent for path in sources.paths}
        if self.pictures and self.output.is_dir() and any(folder.samefile(self.output) for folder in folders):
            raise ConfigError(
                f"--output is {self.output}, where some of the photographs are: drawings would take their places",
                allowed="a folder without photographs to predict on",
                fix="name another --output, or write no drawings: --no-pictures",
            )
        return sources

    def check_only(self, tasks: tuple[str, ...]) -> None:
        """Raises ConfigError for an answer to draw that is not given."""
        for name in separated(self.only):
            if name not in tasks:
                raise ConfigError(f"--only {name}: nothing answers that", allowed=", ".join(tasks))

    def thresholds(self, model: Model) -> Thresholds:
        """What counts as found."""
        ids = model.class_ids(self.classes) if self.classes else None
        return Thresholds(confidence=self.confidence, iou=self.iou, classes=ids)

    def writers(self, names: tuple[str, ...]) -> list[Writer]:
        """Those that were asked for."""
        chosen: list[tuple[bool, Writer]] = [
            (self.pictures, Pictures(self.output, separated(self.only) or None)),
            (self.json, JsonLines(self.output / "results.jsonl")),
            (self.coco, CocoJson(self.output / "results.coco.json", names)),
        ]
        return [writer for wanted, writer in chosen if wanted]


def run(arguments: Sequence[str]) -> int:
    """Predicts, tells each photograph's answer, and returns 1 if a file had to be skipped, else 0."""
    options = parse(Options, arguments, "predict")
    sources = options.chosen()
    model = load(options.weights)
    for knowledge in options.knowledge:
        model = model.add(knowledge)
    stages = model.stages(options.thresholds(model), options.size, tasks=separated(options.tasks) or None)
    options.check_only(tuple(stages.network.tasks))
    start, skipped, objects = perf_counter(), 0, 0
    with ExitStack() as open_files:
        writers = [open_files.enter_context(writer) for writer in options.writers(model.names)]
        answers = predict_files(stages, sources.paths, options.batch)
        for answer in with_progress(answers, len(sources.paths), "photographs"):
            if isinstance(answer, Fault):
                skipped += 1
                warn(f"skipped {answer}")
                continue
            for writer in writers:
                writer.write(answer)
            objects += len(answer)
            say(f"{answer.path}: {answer.summary()}")
    done = len(sources.paths) - skipped
    say(f"{counted(objects, 'object')} in {counted(done, 'photograph')}, {perf_counter() - start:.1f} s")
    if sources.ignored:
        say(f"{counted(sources.ignored, 'other file')} in the folders left alone")
    if writers and done:
        say(f"written to {options.output}/")
    if skipped:
        warn(f"{skipped} of {counted(len(sources.paths), 'file')} skipped")
    return 1 if skipped else 0
