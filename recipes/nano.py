"""The bundled weights: nano on real photographs, from random weights, on two CPU cores.

    python recipes/yolox_teacher.py yolox_nano.onnx teacher.onnx
    python recipes/nano.py PHOTOGRAPHS RUN teacher.onnx   train both parts, then seal
    python recipes/nano.py PHOTOGRAPHS RUN                score the best weights of a run, write them into the package

PHOTOGRAPHS is a folder with `everyday` (COCO photographs, long side 384, splits train and dev) and `extra` (further
photographs, long side 336, labelled in part by YOLOX-nano). Everyday photographs are seen twice an epoch: their labels
are complete, and they look like what is scored on. About 100 minutes on two cores of an AVX-512 server. Expected
figures: those in the record of the bundled file, which `tacit val --data PHOTOGRAPHS/everyday --split dev` prints.
"""

import sys
from dataclasses import replace
from pathlib import Path

import torch

from tacit import weights
from tacit.data.augment import Augment
from tacit.data.read import read
from tacit.evaluate import evaluate
from tacit.network import Network
from tacit.nn.blocks import ConvBNAct
from tacit.stages import SCORING, Stages
from tacit.tasks.detect.gains import DetectGains
from tacit.training.loop import train
from tacit.training.recipe import Algorithm, Optimiser, Recipe

BUNDLED = Path(__file__).parents[1] / "src/tacit/weights/nano.safetensors"
DATA = (
    "everyday/train: 2,150 COCO photographs with 80 classes, seen twice an epoch, alone in the second part",
    "extra: 4,574 photographs; boxes of VOC2007 and pedestrian sets, the others by the teacher (score 0.4 and more)",
)
TEACHER = (
    "YOLOX-nano (Apache-2.0): its boxes label part of `extra`; twelve of its maps were learned from in the first part"
)
HARDWARE = "2 cores of an x86-64 server with AVX-512, no GPU"


def taught(photographs: Path, output: Path, teacher: Path) -> Recipe:
    """The long part, from random weights; why so is in docs/decisions/weights.md."""
    everyday, extra = photographs / "everyday", photographs / "extra"
    return Recipe(
        data=(everyday, extra, everyday),
        model="nano",
        output=output / "taught",
        scratch=True,
        teacher=teacher,
        teacher_gain=4.0,
        epochs=7,
        batch=8,
        start_size=224,
        grow=1.0,
        min_score=0.4,
        validate_every=4,
        gains=DetectGains(classes=2.5),
        augment=Augment(mosaic=0.8),
        optimiser=Optimiser(
            algorithm=Algorithm.MUON,
            learning_rate=0.01,
            final_factor=0.02,
            momentum=0.9,
            weight_decay=0.02,
            warmup_epochs=0.2,
            warmup_steps=200,
            ema_decay=0.999,
            ema_ramp=500,
        ),
    )


def finished(first: Recipe, weights: Path) -> Recipe:
    """A short second part: photographs as they will be looked at, mostly whole and of full size, with labels alone."""
    return replace(
        first,
        data=first.data[:1],
        output=first.output.with_name("finished"),
        scratch=False,
        weights=weights,
        teacher=None,
        epochs=2,
        start_size=None,
        validate_every=2,
        augment=Augment(mosaic=0.25),
        optimiser=replace(
            first.optimiser,
            learning_rate=0.003,
            warmup_epochs=0.0,
            warmup_steps=20,
            ema_decay=0.995,
            ema_ramp=50,
        ),
    )


@torch.no_grad()
def calm(network: Network) -> None:
    """Bring every convolution before a batch norm to the size of a fresh one, which changes no answer.

    Muon left them seven times larger than AdamW had, and a step of SGD turns a weight the less the longer it is:
    training that started from them as they were hardly moved (docs/decisions/weights.md).
    """
    for block in network.modules():
        if isinstance(block, ConvBNAct):
            weight, norm = block.conv.weight, block.bn
            factor = (len(weight) / 3) ** 0.5 / weight.norm()
            weight.mul_(factor)
            norm.running_mean.mul_(factor)
            norm.running_var.copy_(((norm.running_var + norm.eps) * factor**2 - norm.eps).clamp_min(0))


def seal(photographs: Path, run: Path) -> None:
    """Round the best weights of the run to 16 bits, score what is left of them, and write both into the package."""
    first, _ = weights.read(run / "taught/best.safetensors")
    found = weights.load(run / "finished/best.safetensors")
    calm(found.network)
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
        epochs=first.epochs + found.record.epochs,
        recipe={"first part": first.recipe, "second part": found.record.recipe},
        figures={name: round(value, 4) for name, value in figures.items()},
        scored_on=f"everyday/dev, {len(dataset.samples)} COCO photographs, at {rounded.record.input_size} pixels",
    )
    weights.save(found.network, record, BUNDLED, half=True)


def run(photographs: Path, output: Path, teacher: Path) -> None:
    """Both parts."""
    first = taught(photographs, output, teacher)
    train(finished(first, train(first) / "best.safetensors"))


if __name__ == "__main__":
    folder, output, *teachers = map(Path, sys.argv[1:])
    if teachers:
        run(folder, output, teachers[0])
    seal(folder, output)
