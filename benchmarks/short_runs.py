"""What a short run from random weights learns: optimisers, batches, and a teacher, on the same photographs.

    python benchmarks/short_runs.py PHOTOGRAPHS teacher.onnx       about ten minutes on two cores

Every run sees the same 2,960 pictures of 224 pixels once; its losses are those of 240 further pictures, batch norm in
training mode, no weight updated. PHOTOGRAPHS and teacher.onnx are those of recipes/nano.py. The table in
docs/decisions/weights.md comes from here.
"""

import sys
import time
from dataclasses import replace
from pathlib import Path

import torch
from accelerate import Accelerator

from tacit import zoo
from tacit.data.loader import Batch, TicketSampler, TrainingPhotos, training_loader
from tacit.tasks.detect.gains import DetectGains
from tacit.tasks.detect.head import Detect
from tacit.training.learner import Learner
from tacit.training.recipe import Algorithm, Optimiser, Recipe
from tacit.training.reporter import Row
from tacit.training.training_data import gather

SEEN, HELD, SIZE = 2960, 240, 224
GAINS = DetectGains(classes=2.5)


def plan(algorithm: Algorithm, rate: float) -> Optimiser:
    """The schedule of a short run."""
    return Optimiser(
        algorithm=algorithm, learning_rate=rate, final_factor=0.02, momentum=0.9, weight_decay=0.02, warmup_steps=40,
        warmup_epochs=0.0, warmup_bias_rate=0.0,
    )  # fmt: skip


def measure(recipe: Recipe, classes: int, batches: list[Batch]) -> Row:
    """The losses on what was held back, after one look at the rest."""
    steps = SEEN // recipe.batch
    torch.manual_seed(0)
    network = zoo.create(recipe.model, classes)
    detect = network.task("detect")
    assert isinstance(detect, Detect)
    detect.gains = recipe.gains
    learner = Learner(network, recipe, steps, Accelerator(cpu=True))
    for step, batch in enumerate(batches[:steps]):
        learner.learn(batch, 0, step)
    rows = [held_out(learner, batch) for batch in batches[steps:]]
    return {name: sum(row[name] for row in rows) / len(rows) for name in rows[0]}


@torch.no_grad()
def held_out(learner: Learner, batch: Batch) -> Row:
    """The losses of one batch."""
    images = batch.images.float().div_(255)
    parts = learner.network.loss(learner.network(images), batch.targets).parts
    if learner.teacher:
        parts["teacher/features"] = learner.teacher.loss(images)
    return {name: float(value) for name, value in parts.items()}


def main(photographs: Path, teacher: Path) -> None:
    """One line a run."""
    base = Recipe(data=(photographs / "everyday", photographs / "extra"), scratch=True, epochs=1, min_score=0.4,
                  size=SIZE, gains=GAINS)  # fmt: skip
    taught = replace(base, teacher=teacher, teacher_gain=4.0)
    runs = {
        "AdamW 0.0015, batch 16, labels": replace(base, optimiser=plan(Algorithm.ADAMW, 0.0015)),
        "AdamW 0.0015, batch 16": replace(taught, optimiser=plan(Algorithm.ADAMW, 0.0015)),
        "AdamW 0.004, batch 16": replace(taught, optimiser=plan(Algorithm.ADAMW, 0.004)),
        "AdamW 0.004, batch 8": replace(taught, batch=8, optimiser=plan(Algorithm.ADAMW, 0.004)),
        "Muon 0.01, batch 16": replace(taught, optimiser=plan(Algorithm.MUON, 0.01)),
        "Muon 0.01, batch 8": replace(taught, batch=8, optimiser=plan(Algorithm.MUON, 0.01)),
        "Muon 0.01, batch 8, labels": replace(base, batch=8, optimiser=plan(Algorithm.MUON, 0.01)),
    }
    data = gather(base)
    photos = TrainingPhotos(data.samples, SIZE, base.augment, base.seed)
    for name, recipe in runs.items():
        sampler = TicketSampler(len(data.samples), recipe.batch, seed=0, size=SIZE)
        stream = iter(training_loader(photos, sampler, workers=1))
        batches = [next(stream) for _ in range((SEEN + HELD) // recipe.batch)]
        start = time.monotonic()
        row = measure(recipe, len(data.classes), batches)
        told = "  ".join(f"{part.split('/')[1]} {value:.4f}" for part, value in row.items())
        print(f"{name:<32}{told}  {time.monotonic() - start:.0f} s", flush=True)


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:]))
