"""`tacit train`: a recipe from the command line to a run folder, told while it goes.

Faults of the data are told and do not change the exit code: a run that came to its end has done what was asked for, and
what follows it (another command, the other processes of torchrun) may go on.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Annotated

from tyro.conf import arg

from tacit.cli.screen import counted, gathered, parse, progress_bar, say, warn
from tacit.data.sample import Fault
from tacit.errors import ConfigError
from tacit.training.recipe import Recipe

LISTS = ("--data", "--shares", "--tasks")
LOG_NAMES = ("loss", "ap", "ap50")
TOLD = 5  # faults of a kind that are told one by one


@dataclass(frozen=True, kw_only=True)
class Options:
    """Train a network on datasets (COCO, YOLO or VOC), or go on with a run."""

    recipe: Annotated[Recipe, arg(name="")] = field(default_factory=Recipe)
    resume: Path | None = None
    """Go on with the run in this folder, to the same weights as if it had not stopped; takes no other option."""

    def __post_init__(self) -> None:
        if self.resume is not None and self.recipe != Recipe():
            raise ConfigError("--resume goes with no other option: the run's own recipe holds", fix="leave them out")
        if self.resume is None and not self.recipe.data:
            raise ConfigError("there is nothing to train on", fix="name a dataset: tacit train --data PATH")


class Screen:
    """A bar over all steps of the run and the faults of its data on stderr, a line an epoch on stdout."""

    def __init__(self, epochs: int, batch: int) -> None:
        self.epochs, self.batch = epochs, batch
        self.spoken = False
        self.faults, self.lost = set[Fault](), Counter[str]()
        self.bar = progress_bar()
        self.task = self.bar.add_task("training", total=None, rate="")

    def __enter__(self) -> Screen:
        self.bar.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.bar.stop()
        if self.faults and kind is None:
            warn(self.summary())

    def note(self, text: str) -> None:
        """A line of its own."""
        self.spoken = True
        say(text)

    def fault(self, fault: Fault) -> None:
        """A line for each of the first few of a kind, once."""
        if fault in self.faults:
            return
        self.faults.add(fault)
        self.lost[fault.lost] += 1
        if self.lost[fault.lost] <= TOLD:
            warn(fault.line())

    def summary(self) -> str:
        """`faults in the data: 1 photograph and 2 labels left out, 0 notes; tacit data names each`."""
        photographs, labels = counted(self.lost["image"], "photograph"), counted(self.lost["label"], "label")
        notes = counted(self.lost["nothing"], "note")
        return f"faults in the data: {photographs} and {labels} left out, {notes}; tacit data names each"

    def step(self, epoch: int, step: int, steps: int, losses: dict[str, float]) -> None:
        """Moves the bar; what a resumed run had done before counts as done, but not as done at this speed."""
        task = self.bar.tasks[self.task]
        total, completed = steps * self.epochs, steps * epoch + step
        move = self.bar.reset if task.total is None else self.bar.update
        move(self.task, total=total, completed=completed, description=f"epoch {epoch + 1}/{self.epochs}")
        speed = f"{self.batch * task.speed:.1f} photographs/s  " if task.speed else ""
        self.bar.update(self.task, rate=f"{speed}loss {losses['loss']:.3f}")

    def epoch(self, row: dict[str, float]) -> None:
        """The figures of the epoch."""
        scores = [name for name in row if name.endswith(" score") and name != "detect score"]  # which is AP
        figures = "  ".join(f"{name} {row[name]:.4f}" for name in (*LOG_NAMES, *scores) if name in row)
        speed = f"{row['images_per_second']:.1f} photographs/s" if "images_per_second" in row else ""
        self.note(f"epoch {int(row['epoch'])}/{self.epochs}  {figures}  {speed}".rstrip())


def run(arguments: Sequence[str]) -> int:
    """Trains, and tells where the weights are and what was left out of the data."""
    options = parse(Options, gathered(arguments, LISTS), "train")
    from tacit.training.folder import RunFolder
    from tacit.training.loop import resume, train

    recipe = options.recipe if options.resume is None else RunFolder(options.resume).recipe()
    with Screen(recipe.epochs, recipe.batch) as screen:
        path = train(recipe, screen) if options.resume is None else resume(options.resume, screen)
    if screen.spoken:  # of several processes only the first one speaks
        say(f"the best weights are {path / 'best.safetensors'}")
    return 0
