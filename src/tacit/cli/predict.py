"""`tacit predict`: files, folders and globs to drawn pictures, JSON lines and COCO JSON."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass, field, replace
from pathlib import Path
from time import perf_counter
from typing import Annotated

from tyro.conf import Positional, UseAppendAction, arg

from tacit.api import Model, load
from tacit.cli.cluster import ClusterOptions, Order, predict_on
from tacit.cli.engine_options import EngineOptions
from tacit.cli.screen import counted, parse, say, warn, with_progress
from tacit.data.sample import Fault
from tacit.errors import ConfigError, ImageError
from tacit.predict.film import Films
from tacit.predict.pipeline import predict_files
from tacit.predict.sources import Sources, expand
from tacit.predict.video import header, is_video
from tacit.predict.writers import CocoJson, JsonLines, Pictures, Writer
from tacit.results import Result
from tacit.stages import Thresholds
from tacit.training.typed_json import separated


@dataclass(frozen=True, kw_only=True)
class Options:
    """Answer everything that the weights know about photographs, and draw it."""

    sources: Annotated[tuple[str, ...], Positional, arg(metavar="SOURCES...")]
    """Files, folders (with all photographs below them) and globs such as 'photos/**/*.jpg'; videos by their names."""
    weights: Path | None = None
    """Weights file; without it the bundled nano."""
    knowledge: Annotated[tuple[Path, ...], UseAppendAction] = ()
    """Knowledge file (see tacit teach) whose answers are given too; may be said several times."""
    output: Annotated[Path, arg(aliases=("--out",))] = Path("runs/predict")
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
    batch: int | None = None
    """Photographs of one shape in one forward pass; without it 8, or 1 for large networks on a CPU."""
    json: bool = False
    """Also write results.jsonl, one line a photograph or frame."""
    coco: bool = False
    """Also write results.coco.json."""
    pictures: bool = True
    """Drawn pictures are written unless this is given."""
    by: Annotated[EngineOptions, arg(name="")] = field(default_factory=EngineOptions)
    cluster: Annotated[ClusterOptions, arg(name="")] = field(default_factory=ClusterOptions)

    def __post_init__(self) -> None:
        if self.batch is not None and self.batch < 1:
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

    def order(self) -> Order:
        """The same for the workers of a cluster. Raises ConfigError for what only one machine gives."""
        for name in ("json", "coco", "only"):
            if getattr(self, name):
                raise ConfigError(
                    f"--{name} goes not with --cluster", allowed="answers in Parquet files", fix="leave it out"
                )
        order = Order.of(self.weights, self.knowledge, self.size, separated(self.tasks), self.by)
        order = replace(order, thresholds=self.thresholds(order.model()))
        order()  # what is wrong with it is told before a cluster is asked
        return order

    def writers(self, names: tuple[str, ...]) -> list[Writer]:
        """Those that were asked for; pictures come first, so that no line stands before its picture is on its way."""
        chosen: list[tuple[bool, Writer]] = [
            (self.pictures, Pictures(self.output, separated(self.only) or None)),
            (self.pictures, Films(self.output, separated(self.only) or None)),
            (self.json, JsonLines(self.output / "results.jsonl")),
            (self.coco, CocoJson(self.output / "results.coco.json", names)),
        ]
        return [writer for wanted, writer in chosen if wanted]


def run(arguments: Sequence[str]) -> int:
    """Predicts, tells each photograph's answer, and returns 1 if a file had to be skipped, else 0."""
    options = parse(Options, arguments, "predict")
    if options.cluster.cluster:
        return predict_on(options.cluster, options.order(), options.sources, options.output, options.batch)
    sources = options.chosen()
    total = sum(map(_pictures_in, sources.paths))
    model = load(options.weights)
    for knowledge in options.knowledge:
        model = model.add(knowledge)
    stages = options.by.stages(model, options.thresholds(model), options.size, separated(options.tasks) or None)
    options.check_only(tuple(stages.network.tasks))
    tally = Tally()
    with ExitStack() as open_files:
        writers = [open_files.enter_context(writer) for writer in options.writers(model.names)]
        answers = open_files.enter_context(closing(predict_files(stages, sources.paths, options.batch)))
        for answer in with_progress(answers, total, "photographs"):
            tally.take(answer)
            if isinstance(answer, Result):
                for writer in writers:
                    writer.write(answer)
    say(tally.line())
    if sources.ignored:
        say(f"{counted(sources.ignored, 'other file')} in the folders left alone")
    if writers and tally.photographs + tally.frames:
        say(f"written to {options.output}/")
    if tally.faults:
        warn(f"{tally.faults} of {counted(len(sources.paths), 'file')} skipped")
    return 1 if tally.faults else 0


@dataclass
class Tally:
    """What came, told while it comes."""

    photographs: int = 0
    frames: int = 0
    objects: int = 0
    faults: int = 0
    start: float = field(default_factory=perf_counter)

    def take(self, answer: Result | Fault) -> None:
        """Counts it, and says what it is."""
        if isinstance(answer, Fault):
            self.faults += 1
            warn(f"skipped {answer}")
            return
        self.photographs += answer.moment is None
        self.frames += answer.moment is not None
        self.objects += len(answer)
        frame = "" if answer.moment is None else f", frame {answer.moment.frame}"
        say(f"{answer.path}{frame}: {answer.summary()}")

    def line(self) -> str:
        """`3 objects in 2 photographs, 0.4 s`."""
        seen = [counted(self.frames, "frame")] if self.frames else []
        if self.photographs or not self.frames:
            seen.insert(0, counted(self.photographs, "photograph"))
        return f"{counted(self.objects, 'object')} in {' and '.join(seen)}, {perf_counter() - self.start:.1f} s"


def _pictures_in(path: Path) -> int:
    """How many answers a file will give, as far as that is known beforehand; raises ConfigError for a film that cannot
    be read here.
    """
    if not is_video(path):
        return 1
    try:
        return header(path).frames
    except ImageError:  # told in its place
        return 1
