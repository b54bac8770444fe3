"""`tacit val`: COCO figures, charts, predictions and speed of a network on a labelled dataset."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from enum import Enum
from pathlib import Path
from typing import Annotated, Any

from tyro.conf import arg

from tacit.api import Model, load
from tacit.cli.engine_options import ExactEngineOptions
from tacit.cli.screen import counted, parse, progress, say, show_table, warn_of
from tacit.data.read import WHOLE, available_splits, is_hold_out, read, scoring_split
from tacit.data.sample import Dataset
from tacit.errors import ConfigError
from tacit.evaluate import Evaluation, evaluate, metrics_for
from tacit.geometry.views import AS_IT_IS, THREE_VIEWS
from tacit.network import Network
from tacit.predict.writers import make_folder
from tacit.rectangular import Grid, Rectangular, by_aspect, grid_of
from tacit.results import DETECT
from tacit.runtime.engine import Precision
from tacit.stages import SCORING, Stages
from tacit.tasks.metric import Metric
from tacit.tasks.task import with_labels
from tacit.training.typed_json import separated

HELD_OUT = "held-out fifth"


class Batches(Enum):
    """Which photographs share a forward pass, and so how they are resized and bordered."""

    SAME_SHAPE = "same-shape"
    RECTANGULAR = "rectangular"


@dataclass(frozen=True, kw_only=True)
class Options:
    """Score every task of a network that a dataset labels; boxes as COCO does (scores above 0.001, NMS at IoU 0.65, at
    most 300).
    """

    data: Path
    """Folder or label file: COCO JSON, YOLO txt with a data.yaml, or VOC XML."""
    split: str | None = None
    """Which split; without it the one that `tacit train` chooses on, or the only one. Of data without splits (or with
    nothing but a train split) that is the fifth that training holds out; 'all' is everything."""
    weights: Path | None = None
    """Weights file; without it the bundled nano."""
    tasks: tuple[str, ...] = ()
    """What to score, such as detect,pose; without it every task that the weights know and the data labels."""
    size: int | None = None
    """Input of the network in pixels; without it the size that the weights were chosen at."""
    batch: int = 8
    """Photographs in one forward pass."""
    batches: Batches = Batches.SAME_SHAPE
    """same-shape: those whose smallest rectangle of whole strides is the same, as in prediction. rectangular: as the
    authors of YOLOR evaluated, those of similar shape in one larger rectangle (704 pixels for 640, 1344 for 1280)."""
    stride: int | None = None
    """Of rectangular batches: what divides their sides; without it what the model was published with."""
    tta: bool = False
    """Test-time augmentation: look at each photograph three times, once smaller and mirrored, once smaller still."""
    by: Annotated[ExactEngineOptions, arg(name="")] = field(default_factory=ExactEngineOptions)
    output: Path = Path("runs/val")
    """Folder for predictions.json, scores.json and the charts."""

    def __post_init__(self) -> None:
        if self.batch < 1:
            raise ConfigError(f"--batch is {self.batch}", allowed="whole numbers from 1")
        if self.stride is not None and self.batches is not Batches.RECTANGULAR:
            raise ConfigError(f"--stride {self.stride} says nothing here", fix="add --batches rectangular")

    def chosen_split(self) -> str:
        """`split`, or the one that tells most."""
        return scoring_split(self.data) if self.split is None else self.split

    def dataset(self, network: Network) -> Dataset:
        """What to score on, with the labels that the network's tasks read themselves."""
        return with_labels(read(self.data, self.chosen_split()), map(network.task, network.tasks))

    def way(self, model: Model) -> Way:
        """How to evaluate `model`. Raises ConfigError for a size or stride that its network cannot take."""
        views = THREE_VIEWS if self.tta else AS_IT_IS
        stages = self.by.stages(model, SCORING, self.size, separated(self.tasks) or None, views)
        if self.batches is Batches.SAME_SHAPE:
            return Way(stages, self.batch)
        grid = grid_of(model.record.model, model.network.stride)
        grid = grid if self.stride is None else Grid(group=grid.group, stride=self.stride)
        return Way(stages, self.batch, Rectangular(stages=stages, grid=grid, batch=self.batch))


@dataclass(frozen=True)
class Way:
    """A way to evaluate."""

    stages: Stages
    batch: int
    rectangular: Rectangular | None = None

    def evaluate(self, dataset: Dataset, metrics: Mapping[str, Metric], advance: Callable[[int], None]) -> Evaluation:
        """Scores `dataset`; `advance` is told how many photographs are done."""
        if self.rectangular is None:
            return evaluate(self.stages, dataset, metrics, batch=self.batch, progress=advance)
        group = self.rectangular.grid.group
        return evaluate(self.rectangular, by_aspect(dataset), metrics, batch=group, progress=advance)

    def record(self) -> dict[str, Any]:
        """What the figures depend on, for scores.json."""
        grid = None if self.rectangular is None else asdict(self.rectangular.grid)
        batches = Batches.SAME_SHAPE if grid is None else Batches.RECTANGULAR
        told = {"size": self.stages.size, "batches": batches.value, "grid": grid, "precision": self.precision.value}
        return {**told, "views": [asdict(view) for view in self.stages.views], **asdict(SCORING)}

    @property
    def precision(self) -> Precision:
        """What the network is calculated in."""
        return self.stages.engine.precision if self.stages.engine else Precision.FP32

    def __str__(self) -> str:
        text = f"evaluated at {self.stages.size} px"
        if self.precision is not Precision.FP32:
            text += f" in {self.precision.value}"
        if self.rectangular is not None:
            grid = self.rectangular.grid
            text += f" in rectangular batches of {grid.group} photographs, sides in multiples of {grid.stride}"
        return text + (f", {len(self.stages.views)} views of each photograph" if len(self.stages.views) > 1 else "")


def run(arguments: Sequence[str]) -> int:
    """Scores, shows and writes; returns 1 if photographs or labels had to be left out, as the score is then not one of
    all that was named, else 0.
    """
    options = parse(Options, arguments, "val")
    way = options.way(load(options.weights))
    dataset = options.dataset(way.stages.network)
    metrics = metrics_for(way.stages.network, dataset)
    make_folder(options.output)
    with progress(len(dataset.samples), "photographs") as advance:
        evaluation = way.evaluate(dataset, metrics, advance)
    left_out = warn_of((*dataset.faults, *evaluation.faults))
    part = _part(options.data, dataset.split)
    say(f"{options.data} ({part}), {counted(evaluation.images, 'photograph')}")
    for table in (table for metric in metrics.values() for table in metric.tables()):
        show_table(table.title, table.header, table.rows)
    say(str(way))
    if part == HELD_OUT:
        say(f"{HELD_OUT}, which training chooses on; --split all for everything")
    _show_speed(way.stages, evaluation)
    names = _write(evaluation, way, options.output)
    say(f"{', '.join(names)} are in {options.output}/")
    return 1 if left_out else 0


def _part(path: Path, split: str) -> str:
    """What was scored, for people."""
    if is_hold_out(path, split):
        return HELD_OUT
    return f"all of {split}" if available_splits(path) == (split,) != (WHOLE,) else split


def _show_speed(stages: Stages, evaluation: Evaluation) -> None:
    rows = [(stage, f"{1000 * seconds / evaluation.images:.2f}") for stage, seconds in stages.seconds.items()]
    whole = ("everything, with reading and scoring", f"{1000 * evaluation.seconds / evaluation.images:.2f}")
    show_table("time", ("stage", "ms a photograph"), [*rows, whole])


def _write(evaluation: Evaluation, way: Way, folder: Path) -> list[str]:
    """Figures, charts and predictions; the names of the files."""
    records = {name: metric.record() for name, metric in evaluation.metrics.items()}
    scores = {**records.pop(DETECT, {}), **records, "evaluation": way.record()}
    (folder / "scores.json").write_text(json.dumps(scores, indent=2), encoding="utf-8")
    return ["scores.json", *(name for metric in evaluation.metrics.values() for name in metric.write(folder))]
