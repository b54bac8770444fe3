"""The bundled weights learn to answer more: all seven tasks over the trunk that so far detected alone.

    python recipes/nano_tasks.py PHOTOGRAPHS RUN DETECTOR     train the tasks together, from detection-only weights
    python recipes/nano_tasks.py PHOTOGRAPHS RUN              score the best weights, write them into the package

PHOTOGRAPHS is a folder with `everyday` (COCO photographs, long side 384, splits train and dev).
"""

import sys
from pathlib import Path

from tacit.data.augment import Augment
from tacit.tasks.detect.gains import DetectGains
from tacit.training.balance import Balance
from tacit.training.loop import train
from tacit.training.recipe import Algorithm, Optimiser, Recipe

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


if __name__ == "__main__":
    photographs, output, *weights = map(Path, sys.argv[1:])
    train(joint(photographs, output, *weights))
