"""The studies of docs/learn/studies.md: small runs on everyday photographs, each variant with three seeds.

    python recipes/studies.py PHOTOGRAPHS OUTPUT                     all, one after the other
    python recipes/studies.py PHOTOGRAPHS OUTPUT alignment forms     these
    python recipes/studies.py PHOTOGRAPHS OUTPUT --seed 0 --seeds 1  part of the seeds, to train several side by side

PHOTOGRAPHS is a folder with `everyday` (COCO photographs, long side 384, splits train and dev). A stopped study goes on
where it was; studies share the runs that they have in common. Processes with other seeds may work in one OUTPUT at the
same time (`OMP_NUM_THREADS=1`, a process a core); a last call with all seeds then only writes the tables.
"""

from dataclasses import replace
from pathlib import Path

import tyro
from tyro.conf import Positional

from tacit.data.augment import Augment
from tacit.tasks.detect.gains import DetectGains
from tacit.training.balance import Balance
from tacit.training.recipe import Algorithm, Optimiser, Recipe
from tacit.training.studies import STUDIES
from tacit.training.study import finish, plan_study
from tacit.training.study_report import write_table
from tacit.training.study_table import tabulate

ALL = ("detect", "segment", "pose", "tags", "embed")
OF_ALL = ("sharing", "balance")
WEIGHTS = {"segment": 0.5, "pose": 0.5, "embed": 0.05}


def base(photographs: Path, output: Path, seed: int) -> Recipe:
    """From the bundled trunk, new heads, two looks at 2,150 small photographs."""
    return Recipe(
        data=(photographs / "everyday",),
        model="nano",
        output=output,
        epochs=2,
        batch=16,
        size=160,
        seed=seed,
        workers=0,
        validate_every=2,
        checkpoint_minutes=1.0,
        gains=DetectGains(classes=2.5),
        augment=Augment(mosaic=0.25),
        balance=Balance(weights=WEIGHTS),
        optimiser=Optimiser(
            algorithm=Algorithm.MUON,
            learning_rate=0.003,
            final_factor=0.02,
            momentum=0.9,
            weight_decay=0.02,
            warmup_epochs=0.0,
            warmup_steps=30,
            ema_decay=0.99,
            ema_ramp=50,
        ),
    )


def main(
    photographs: Positional[Path],
    output: Positional[Path],
    names: Positional[tuple[str, ...]] = tuple(STUDIES),
    seed: int = 0,
    seeds: int = 3,
) -> None:
    """Train what is not yet trained, and write the tables of these studies."""
    for name in names:
        recipe = base(photographs, output, seed)
        plan = plan_study(name, replace(recipe, tasks=ALL) if name in OF_ALL else recipe, seeds)
        outcomes = [finish(run) for run in plan.runs]
        write_table(tabulate(plan, outcomes), plan.base.output)


if __name__ == "__main__":
    tyro.cli(main)
