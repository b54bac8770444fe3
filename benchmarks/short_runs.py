"""What a short run from random weights learns: optimisers, batches, and a teacher, on the same photographs.

    python benchmarks/short_runs.py PHOTOGRAPHS teacher.onnx       about ten minutes on two cores

Every run sees the same 2,960 pictures of 224 pixels once; its losses are those of 240 further pictures, batch norm in
training mode, no weight updated. PHOTOGRAPHS and teacher.onnx are those of recipes/nano.py. `--seen 96 --held 32` runs
through all of it in a minute. The table in docs/decisions/weights.md comes from here.
"""

import argparse
import time
from dataclasses import replace
from pathlib import Path

import torch
from accelerate import Accelerator

from tacit import zoo
from tacit.data.loader import Batch, TrainingPhotos, training_loader
from tacit.data.tickets import TicketSampler
from tacit.results import DETECT
from tacit.tasks.detect.gains import DetectGains
from tacit.tasks.detect.head import Detect
from tacit.training.learner import Learner
from tacit.training.recipe import Algorithm, Optimiser, Recipe
from tacit.training.reporter import Row
from tacit.training.training_data import gather

SIZE = 224
GAINS = DetectGains(classes=2.5)


def plan(algorithm: Algorithm, rate: float) -> Optimiser:
    """The schedule of a short run."""
    return Optimiser(
        algorithm=algorithm, learning_rate=rate, final_factor=0.02, momentum=0.9, weight_decay=0.02, warmup_steps=40,
        warmup_epochs=0.0, warmup_bias_rate=0.0,
    )  # fmt: skip


def measure(recipe: Recipe, classes: int, batches: list[Batch], steps: int) -> Row:
    """The losses on what was held back, after one look at the first `steps` batches."""
    torch.manual_seed(0)
    network = zoo.create(recipe.model, classes)
    detect = network.task(DETECT)
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
    parts = learner.network.losses(learner.network(images), batch.lessons)[DETECT].parts
    if learner.teacher:
        parts["features"] = learner.teacher.loss(images)
    return {name: float(value) for name, value in parts.items()}


def main() -> None:
    """One line a run."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("photographs", type=Path)
    parser.add_argument("teacher", type=Path)
    parser.add_argument("--seen", type=int, default=2960)
    parser.add_argument("--held", type=int, default=240)
    options = parser.parse_args()
    photographs = options.photographs
    base = Recipe(data=(photographs / "everyday", photographs / "extra"), scratch=True, epochs=1, min_score=0.4,
                  size=SIZE, gains=GAINS)  # fmt: skip
    taught = replace(base, teacher=options.teacher, teacher_gain=4.0)
    runs = {
        "AdamW 0.0015, batch 16, labels": replace(base, optimiser=plan(Algorithm.ADAMW, 0.0015)),
        "AdamW 0.0015, batch 16": replace(taught, optimiser=plan(Algorithm.ADAMW, 0.0015)),
        "AdamW 0.004, batch 16": replace(taught, optimiser=plan(Algorithm.ADAMW, 0.004)),
        "AdamW 0.004, batch 8": replace(taught, batch=8, optimiser=plan(Algorithm.ADAMW, 0.004)),
        "Muon 0.01, batch 16": replace(taught, optimiser=plan(Algorithm.MUON, 0.01)),
        "Muon 0.01, batch 8": replace(taught, batch=8, optimiser=plan(Algorithm.MUON, 0.01)),
        "Muon 0.01, batch 8, labels": replace(base, batch=8, optimiser=plan(Algorithm.MUON, 0.01)),
    }
    data = gather(base, {DETECT: Detect})
    photos = TrainingPhotos(data.samples, SIZE, base.augment, base.seed)
    for name, recipe in runs.items():
        sampler = TicketSampler(len(data.samples), recipe.batch, seed=0, size=SIZE)
        stream = iter(training_loader(photos, sampler, {DETECT: zoo.debug(len(data.classes)).task(DETECT)}, workers=1))
        batches = [next(stream) for _ in range((options.seen + options.held) // recipe.batch)]
        start = time.monotonic()
        row = measure(recipe, len(data.classes), batches, options.seen // recipe.batch)
        told = "  ".join(f"{part} {value:.4f}" for part, value in row.items())
        print(f"{name:<32}{told}  {time.monotonic() - start:.0f} s", flush=True)


if __name__ == "__main__":
    main()
