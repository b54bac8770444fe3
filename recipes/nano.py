"""The bundled weights: nano on real photographs, from random weights, on two CPU cores.

    python recipes/yolox_teacher.py yolox_nano.onnx teacher.onnx
    python recipes/nano.py PHOTOGRAPHS RUN teacher.onnx   train with labels, then with labels and the teacher, then seal
    python recipes/nano.py PHOTOGRAPHS RUN                choose, score and write src/tacit/weights/nano.safetensors

PHOTOGRAPHS is a folder with `everyday` (COCO photographs, long side 384, splits train and dev) and `extra` (further
photographs, long side 336, labelled in part by YOLOX-nano). Everyday photographs are seen twice an epoch: their labels
are complete, and they look like what is scored on. About two hours on two cores of an AVX-512 server. Expected figures:
near those in the record of the bundled file, which `tacit val --data PHOTOGRAPHS/everyday --split dev` prints again;
what differed in the run behind that file is told in docs/decisions/weights.md.
"""

import sys
from dataclasses import replace
from pathlib import Path

from tacit import weights
from tacit.data.read import read
from tacit.evaluate import evaluate
from tacit.stages import SCORING, Stages
from tacit.tasks.detect.gains import DetectGains
from tacit.training.loop import train
from tacit.training.recipe import Algorithm, Optimiser, Recipe

BUNDLED = Path(__file__).parents[1] / "src/tacit/weights/nano.safetensors"
DATA = (
    "everyday/train: 2,150 COCO photographs with 80 classes, seen twice an epoch",
    "extra: 4,574 photographs; boxes of VOC2007 and pedestrian sets, the others by the teacher (score 0.4 and more)",
)
TEACHER = "YOLOX-nano (Apache-2.0): its boxes label part of `extra`; its features were learned from in the second part"
HARDWARE = "2 cores of an x86-64 server with AVX-512, no GPU"
SHORT = Optimiser(  # in place of the reference's SGD: a run this short never leaves SGD's warm-up far behind
    algorithm=Algorithm.ADAMW,
    learning_rate=1.5e-3,
    final_factor=0.02,
    momentum=0.9,
    weight_decay=0.02,
    warmup_epochs=0.7,
    warmup_steps=300,
    ema_decay=0.998,
    ema_ramp=300,
)


def with_labels(photographs: Path, output: Path) -> Recipe:
    """The first part, from random weights."""
    everyday, extra = photographs / "everyday", photographs / "extra"
    return Recipe(
        data=(everyday, extra, everyday),
        model="nano",
        output=output / "labels",
        scratch=True,
        epochs=9,
        start_size=224,
        grow=1.0,
        min_score=0.4,
        validate_every=2,
        gains=DetectGains(classes=2.5),
        optimiser=SHORT,
    )


def with_teacher(first: Recipe, weights: Path, output: Path, teacher: Path) -> Recipe:
    """The second part, from the weights of the first."""
    return replace(
        first,
        output=output / "teacher",
        scratch=False,
        weights=weights,
        teacher=teacher,
        teacher_gain=2.0,
        epochs=4,
        start_size=288,
        optimiser=replace(SHORT, learning_rate=1e-3, warmup_epochs=0.1, warmup_steps=50),
    )


def seal(photographs: Path, run: Path) -> None:
    """Round the best weights of the run to 16 bits, score what is left of them, and write both into the package."""
    found = weights.load(run / "best.safetensors")
    weights.save(found.network, found.record, BUNDLED, half=True)
    rounded = weights.load(BUNDLED)
    dataset = read(photographs / "everyday", "dev")
    stages = Stages(rounded.network.fold(), rounded.record.classes, rounded.record.input_size, SCORING)
    figures = evaluate(stages, dataset).scores.headline("person")
    record = replace(
        rounded.record,
        data=DATA,
        teacher=TEACHER,
        hardware=HARDWARE,
        figures={name: round(value, 4) for name, value in figures.items()},
        scored_on=f"everyday/dev, {len(dataset.samples)} COCO photographs, at {rounded.record.input_size} pixels",
    )
    weights.save(found.network, record, BUNDLED, half=True)


def run(photographs: Path, output: Path, teacher: Path) -> None:
    """Both parts."""
    first = with_labels(photographs, output)
    train(with_teacher(first, train(first) / "last.safetensors", output, teacher))


if __name__ == "__main__":
    folder, output, *teachers = map(Path, sys.argv[1:])
    if teachers:
        run(folder, output, teachers[0])
    seal(folder, output / "teacher")
