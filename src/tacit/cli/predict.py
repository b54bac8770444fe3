"""`tacit predict`: files, folders and globs to drawn pictures, JSON lines and COCO JSON."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter

from tyro.conf import Positional

from tacit import api
from tacit.cli.screen import parse, say, warn, with_progress
from tacit.data.sample import Fault
from tacit.errors import ConfigError
from tacit.predict.pipeline import predict_files
from tacit.predict.sources import expand
from tacit.predict.writers import CocoJson, JsonLines, Pictures, Writer


@dataclass(frozen=True, kw_only=True)
class Options:
    """Find objects in photographs and draw them."""

    sources: Positional[tuple[str, ...]]
    """Files, folders (with all below them) and globs such as 'photos/**/*.jpg'."""
    weights: Path | None = None
    """Weights file; without it the bundled nano."""
    output: Path = Path("runs/predict")
    """Folder for what is written."""
    confidence: float = 0.25
    """Boxes with a lower score are left out (0 to 1)."""
    iou: float = 0.5
    """Of two boxes of one class that overlap by more than this, the better one stays (0 to 1)."""
    size: int | None = None
    """Input of the network in pixels; without it the size that the weights were chosen at."""
    batch: int = 8
    """Photographs in one forward pass."""
    json: bool = False
    """Also write results.jsonl, one line a photograph."""
    coco: bool = False
    """Also write results.coco.json."""
    pictures: bool = True
    """Write the drawn pictures."""

    def __post_init__(self) -> None:
        if self.batch < 1:
            raise ConfigError(f"--batch is {self.batch}", allowed="whole numbers from 1")

    def writers(self, names: tuple[str, ...]) -> list[Writer]:
        """Those that were asked for."""
        chosen: list[tuple[bool, Writer]] = [
            (self.pictures, Pictures(self.output)),
            (self.json, JsonLines(self.output / "results.jsonl")),
            (self.coco, CocoJson(self.output / "results.coco.json", names)),
        ]
        return [writer for wanted, writer in chosen if wanted]


def run(arguments: Sequence[str]) -> int:
    """Predicts, tells each photograph's answer, and returns 1 if a file had to be skipped, else 0."""
    options = parse(Options, arguments, "predict")
    sources = expand(options.sources)
    model = api.load(options.weights)
    stages = model.stages(confidence=options.confidence, iou=options.iou, size=options.size)
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
    say(f"{objects} objects in {done} photographs, {perf_counter() - start:.1f} s")
    if sources.ignored:
        say(f"{sources.ignored} files in the folders are no photographs")
    if writers and done:
        say(f"written to {options.output}/")
    if skipped:
        warn(f"{skipped} of {len(sources.paths)} files could not be read")
    return 1 if skipped else 0
