"""A study: its variants over seeds, each a run in a folder of its own that can be stopped, gone on with and shared.

Two studies of one folder that ask for the same run, such as a baseline, have it in common. Every run starts from the
same trunk, and all heads are new: knowledge that was trained before would be ahead of knowledge that was not.
"""

from __future__ import annotations

import hashlib
import json
import os
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path

from tacit.atomic import replacing
from tacit.describe import describe
from tacit.errors import ConfigError
from tacit.nn.uses import Modelling, Operator, Uses
from tacit.results import DETECT
from tacit.tasks.known import kind_of
from tacit.training.folder import RunFolder
from tacit.training.loop import resume, train
from tacit.training.recipe import Recipe
from tacit.training.reporter import Reporter
from tacit.training.start import settled, start_from
from tacit.training.studies import Study, Variant, study_of
from tacit.training.typed_json import build
from tacit.weights import load, save
from tacit.weights.download import located
from tacit.weights.files import bundled

MOST_SEEDS = 1000
PLACEHOLDER = "nothing: only the trunk of this file is of use"
"""The one class of the starting weights: data has others, so every run makes new heads."""


@dataclass(frozen=True)
class Outcome:
    """What a finished run has to tell; `figures` are task by task, `seconds` of training alone."""

    figures: dict[str, float]
    parameters: int
    knowledge: int
    gflops: float
    seconds: float


@dataclass(frozen=True)
class Run:
    """One variant with one seed; its recipe says where it lies."""

    variant: Variant
    recipe: Recipe

    @property
    def seed(self) -> int:
        return self.recipe.seed

    @property
    def outcome(self) -> Outcome | None:
        """What came of it, if it is finished. Raises ConfigError where that file is damaged."""
        path = self.recipe.output / "outcome.json"
        if not path.is_file():
            return None
        try:
            return build(Outcome, json.loads(path.read_text(encoding="utf-8", errors="replace")), str(path))
        except (TypeError, ValueError, RecursionError) as error:
            raise ConfigError(f"{path} is damaged ({error})", fix="delete it; the run need not be repeated") from error


@dataclass(frozen=True)
class Plan:
    """All runs of a study, seed by seed, so that after every seed the variants stand level."""

    name: str
    study: Study
    base: Recipe
    variants: tuple[Variant, ...]
    runs: tuple[Run, ...]


def plan_study(name: str, base: Recipe, seeds: int = 3) -> Plan:
    """The runs of a study in `base.output`, with `seeds` seeds from `base.seed` on; writes the weights to start from.

    Raises ConfigError for an unknown study, and for a folder whose runs had another recipe.
    """
    study = study_of(name)
    if not 1 <= seeds <= MOST_SEEDS:
        raise ConfigError(f"seeds={seeds} is impossible", allowed=f"whole numbers from 1 to {MOST_SEEDS}")
    if not base.data:
        raise ConfigError("there is nothing to train on", fix=f"name a dataset: tacit study {name} --data PATH")
    if int(os.environ.get("WORLD_SIZE", "1")) > 1:
        raise ConfigError("a study trains in one process", fix="start it without a launcher")
    output = base.output.expanduser().resolve()
    base = replace(base, output=output, data=tuple(path.expanduser().resolve() for path in base.data))
    variants = study.variants(base)
    base = replace(base, weights=_start(base))
    recipes = [(variant, variant.of(base)) for variant in variants]
    runs = tuple(
        Run(variant, _placed(replace(recipe, seed=base.seed + number)))
        for number in range(seeds)
        for variant, recipe in recipes
    )
    for run in runs:
        _require_same(run.recipe)
    return Plan(name, study, base, variants, runs)


def finish(run: Run, reporter: Reporter | None = None) -> Outcome:
    """Train the run, or go on with it, and keep what came of it. A finished one is left as it is."""
    if (known := run.outcome) is not None:
        return known
    path = run.recipe.output
    if (path / "recipe.json").is_file():
        resume(path, reporter)
    else:
        if path.is_dir():
            path.rmdir()  # stopped before anything was in it
        path.parent.mkdir(parents=True, exist_ok=True)
        train(run.recipe, reporter)
    outcome = _outcome(run.recipe)
    with replacing(path / "outcome.json") as file:
        file.write(json.dumps(asdict(outcome), indent=2).encode())
    return outcome


def run_name(recipe: Recipe) -> str:
    """What the variants of all studies differ in, as the name of a folder."""
    weights = ["learned-balance"] if recipe.balance.learned else []
    weights += ["stated-weights"] if recipe.balance.weights else []
    return "_".join(["-".join(recipe.tasks), *_told(recipe.knowledge), *weights, f"seed{recipe.seed}"])


def _told(uses: Uses) -> list[str]:
    operators = {"alignment": uses.alignment, "refinement": uses.refinement}
    parts = [f"{operator.value}-{name}" for name, operator in operators.items() if operator is not Operator.NONE]
    parts += [field.name for field in fields(uses) if getattr(uses, field.name) is True]
    parts += [uses.modelling.value] if uses.modelling is not Modelling.VECTOR else []
    return parts or ["no-knowledge"]


def _placed(recipe: Recipe) -> Recipe:
    return replace(settled(recipe), output=recipe.output / "runs" / run_name(recipe))


def _start(base: Recipe) -> Path | None:
    """Weights that have the trunk to start from and nothing else that fits, written once, named by their source."""
    source = None if base.scratch else base.weights or bundled(base.model)
    if source is None:
        return None
    source = located(source)
    start = start_from(base.model, (PLACEHOLDER,), source, {DETECT: {"classes": [PLACEHOLDER]}})
    digest = hashlib.sha256(source.read_bytes()).hexdigest()[:12]
    path = base.output / f"trunk-{digest}.safetensors"
    if not path.is_file():
        base.output.mkdir(parents=True, exist_ok=True)
        save(start.network, start.record, path)
    return path


def _require_same(recipe: Recipe) -> None:
    """Raises ConfigError where the run's folder was begun with another recipe."""
    if not (recipe.output / "recipe.json").is_file():
        return
    found = RunFolder(recipe.output).recipe()
    for field in fields(recipe):
        before, now = getattr(found, field.name), getattr(recipe, field.name)
        if before != now:
            raise ConfigError(
                f"{recipe.output} was begun with another recipe: {field.name} was {before}, and is now {now}",
                fix="bring that back as it was, or choose another --output",
            )


def _outcome(recipe: Recipe) -> Outcome:
    """Figures after the last epoch: those of the best one would be chosen on what is scored."""
    folder = RunFolder(recipe.output)
    lines = (folder.path / "log.jsonl").read_text(encoding="utf-8").splitlines()
    speeds, state = [json.loads(line)["images_per_second"] for line in lines], folder.state()
    assert state is not None
    found = load(folder.last)
    shape = describe(found.network, recipe.size)
    turns = 2 if any(kind_of(name).pairs for name in recipe.tasks) else 1
    return Outcome(
        figures=dict(found.record.figures),
        parameters=shape.parameters,
        knowledge=shape.knowledge,
        gflops=shape.gflops,
        # from the speeds: the log counts the seconds of an epoch that was stopped from where it went on
        seconds=sum(turns * state["photographs"] / max(speed, 0.01) for speed in speeds),
    )
