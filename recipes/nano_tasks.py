"""The bundled weights learn to answer more: all seven tasks over the trunk that so far detected alone.

    python recipes/nano_tasks.py PHOTOGRAPHS RUN DETECTOR         train the tasks together, then seal
    python recipes/nano_tasks.py PHOTOGRAPHS RUN DETECTOR seal    score the best weights, write them into the package

PHOTOGRAPHS is a folder with `everyday` (COCO photographs, long side 384, splits train and dev); DETECTOR the weights
that `recipes/nano.py` gives. About 50 minutes on two cores of an AVX-512 server. Expected figures: those in the record
of the bundled file, which `tacit val --data PHOTOGRAPHS/everyday --split dev` prints.
"""

import sys
from dataclasses import replace
from pathlib import Path

from nano import BUNDLED, HARDWARE, calm

from tacit import weights
from tacit.data.augment import Augment
from tacit.data.read import read
from tacit.data.sample import Dataset
from tacit.evaluate import Evaluation, evaluate, metrics_for
from tacit.network import Network
from tacit.stages import SCORING, Stages
from tacit.tasks.detect.gains import DetectGains
from tacit.training.balance import Balance
from tacit.training.loop import train
from tacit.training.recipe import Algorithm, Optimiser, Recipe
from tacit.weights.record import Record

TASKS = ("detect", "segment", "pose", "scene", "tags", "embed", "caption")
WEIGHTS = {"segment": 0.5, "pose": 0.5, "scene": 0.15, "embed": 0.05, "caption": 0.1}
"""Against detection's 1: near the start every task then asks the trunk for about as much as detection does."""


def joint(photographs: Path, output: Path, weights: Path) -> Recipe:
    """All tasks together, every label of the photographs."""
    return Recipe(
        data=(photographs / "everyday",),
        tasks=TASKS,
        model="nano",
        output=output / "joint",
        weights=weights,
        epochs=4,
        batch=8,
        start_size=256,
        grow=1.0,
        validate_every=4,
        gains=DetectGains(classes=2.5),
        augment=Augment(mosaic=0.5),
        balance=Balance(weights=WEIGHTS),
        optimiser=Optimiser(
            algorithm=Algorithm.MUON,
            learning_rate=0.004,
            final_factor=0.02,
            momentum=0.9,
            weight_decay=0.02,
            warmup_epochs=0.0,
            warmup_steps=100,
            ema_decay=0.998,
            ema_ramp=200,
        ),
    )


def spoken(first: Recipe, weights: Path) -> Recipe:
    """A second part for what is said of whole photographs, on whole photographs; everything else holds still."""
    return replace(
        first,
        output=first.output.with_name("spoken"),
        weights=weights,
        learn=("tags", "caption"),
        epochs=6,
        batch=16,
        start_size=None,
        validate_every=6,
        augment=Augment(mosaic=0.0, scale=0.3),
        balance=Balance(),
        optimiser=replace(
            first.optimiser, algorithm=Algorithm.ADAMW, learning_rate=0.002, ema_decay=0.995, ema_ramp=100
        ),
    )


def scored(network: Network, record: Record, dataset: Dataset) -> Evaluation:
    """Every task of the folded network on every photograph that labels it."""
    for task in network.tasks.values():
        dataset = task.read(dataset)
    stages = Stages(network.fold(), record.classes, record.input_size, SCORING)
    return evaluate(stages, dataset, metrics_for(network, dataset))


def seal(photographs: Path, run: Path, detector: Path) -> None:
    """Round the best weights of the run to 16 bits, score what is left of them, and write both into the package."""
    before, _ = weights.read(detector)
    together, _ = weights.read(run / "joint/best.safetensors")
    found = weights.load(run / "spoken/best.safetensors")
    calm(found.network)
    weights.save(found.network, found.record, BUNDLED, half=True)
    rounded = weights.load(BUNDLED)
    dataset = read(photographs / "everyday", "dev")
    evaluation = scored(rounded.network, rounded.record, dataset)
    boxes = evaluation.scores.headline("person")
    others = {name: value for name, value in evaluation.figures().items() if "/" in name}
    record = replace(
        rounded.record,
        data=before.data,
        teacher=before.teacher,
        hardware=HARDWARE,
        epochs=before.epochs + together.epochs,
        recipe={**before.recipe, "seven tasks": together.recipe, "tags and captions": found.record.recipe},
        figures={name: round(value, 4) for name, value in (boxes | others).items()},
        scored_on=f"everyday/dev, {len(dataset.samples)} COCO photographs, at {rounded.record.input_size} pixels",
    )
    weights.save(found.network, record, BUNDLED, half=True)


if __name__ == "__main__":
    photographs, output, detector, *only = sys.argv[1:]
    if only != ["seal"]:
        first = joint(Path(photographs), Path(output), Path(detector))
        train(spoken(first, train(first) / "best.safetensors"))
    seal(Path(photographs), Path(output), Path(detector))
