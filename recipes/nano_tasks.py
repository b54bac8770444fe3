"""The bundled weights learn to answer more: six tasks beside detection, taught to the trunk as it is.

    python recipes/nano_tasks.py PHOTOGRAPHS RUN DETECTOR         teach the tasks, then seal
    python recipes/nano_tasks.py PHOTOGRAPHS RUN DETECTOR seal    score the best weights, write them into the package

PHOTOGRAPHS is a folder with `everyday` (COCO photographs, long side 384, splits train and dev); DETECTOR the weights
that `recipes/nano.py` gives. The trunk and detection hold still, so boxes are those of DETECTOR to the bit. Captions,
which mosaics say nothing of and which need more looks, are then taught on alone. About 30 minutes on two cores of an
AVX-512 server. Expected figures: those in the record of the bundled file, which
`tacit val --data PHOTOGRAPHS/everyday --split dev` prints. Why not all together: docs/decisions/weights.md.
"""

import sys
from dataclasses import replace
from pathlib import Path

from nano import BUNDLED, HARDWARE

from tacit import weights
from tacit.data.augment import Augment
from tacit.data.read import read
from tacit.data.sample import Dataset
from tacit.evaluate import Evaluation, evaluate, metrics_for
from tacit.network import Network
from tacit.stages import SCORING, Stages
from tacit.tasks.task import with_labels
from tacit.training.loop import train
from tacit.training.recipe import Algorithm, Optimiser, Recipe
from tacit.weights.record import Record

TASKS = ("detect", "segment", "pose", "scene", "tags", "embed", "caption")


def taught(photographs: Path, output: Path, detector: Path) -> Recipe:
    """All labels of the photographs, three quarters of them whole: mosaics say nothing of tags and captions."""
    return Recipe(
        data=(photographs / "everyday",),
        tasks=TASKS,
        learn=TASKS[1:],
        model="nano",
        output=output / "taught",
        weights=detector,
        epochs=3,
        batch=16,
        validate_every=3,
        augment=Augment(mosaic=0.25),
        optimiser=Optimiser(
            algorithm=Algorithm.ADAMW,
            learning_rate=0.003,
            final_factor=0.02,
            momentum=0.9,
            weight_decay=0.02,
            warmup_epochs=0.0,
            warmup_steps=100,
            ema_decay=0.998,
            ema_ramp=200,
        ),
    )


def spoken(photographs: Path, output: Path) -> Recipe:
    """Captions alone, of whole photographs."""
    first = taught(photographs, output, output / "taught/best.safetensors")
    return replace(
        first,
        learn=("caption",),
        output=output / "spoken",
        epochs=7,
        validate_every=7,
        augment=replace(first.augment, mosaic=0.0),
        optimiser=replace(first.optimiser, learning_rate=0.002),
    )


def scored(network: Network, record: Record, dataset: Dataset) -> Evaluation:
    """Every task of the folded network on every photograph that labels it."""
    dataset = with_labels(dataset, map(network.task, network.tasks))
    stages = Stages(network.fold(), record.classes, record.input_size, SCORING)
    return evaluate(stages, dataset, metrics_for(network, dataset))


def seal(photographs: Path, run: Path, detector: Path) -> None:
    """Round the best weights of the run to 16 bits, score what is left of them, and write both into the package."""
    before, _ = weights.read(detector)
    between, _ = weights.read(run / "taught/best.safetensors")
    found = weights.load(run / "spoken/best.safetensors")
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
        epochs=before.epochs,
        recipe={**before.recipe, "six more tasks": between.recipe, "captions": found.record.recipe},
        figures={name: round(value, 4) for name, value in (boxes | others).items()},
        scored_on=f"everyday/dev, {len(dataset.samples)} COCO photographs, at {rounded.record.input_size} pixels",
    )
    weights.save(found.network, record, BUNDLED, half=True)


if __name__ == "__main__":
    photographs, output, detector, *only = sys.argv[1:]
    if only != ["seal"]:
        train(taught(Path(photographs), Path(output), Path(detector)))
        train(spoken(Path(photographs), Path(output)))
    seal(Path(photographs), Path(output), Path(detector))
