"""The table of a study: means and spreads over seeds, and differences that are paired by seed."""

from __future__ import annotations

import math
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from tacit.results import DETECT
from tacit.training.recipe import Recipe
from tacit.training.studies import Variant
from tacit.training.study import Outcome, Plan

SHOWN_BESIDE = ("ap50",)  # beside the main figure of each task


@dataclass(frozen=True)
class Spread:
    """A quantity over seeds: the sample standard deviation (None of one value), and each seed's value."""

    mean: float
    deviation: float | None
    by_seed: dict[int, float]

    @classmethod
    def of(cls, by_seed: Mapping[int, float]) -> Spread:
        values = list(by_seed.values())
        return cls(statistics.fmean(values), statistics.stdev(values) if len(values) > 1 else None, dict(by_seed))

    @property
    def error(self) -> float | None:
        """Standard error of the mean."""
        return None if self.deviation is None else self.deviation / math.sqrt(len(self.by_seed))


@dataclass(frozen=True)
class Difference:
    """One figure of a variant less that of another with the same seed."""

    figure: str
    against: str
    spread: Spread

    @property
    def clear(self) -> bool | None:
        """Whether it is larger than twice its standard error; None of one seed."""
        error = self.spread.error
        return None if error is None else abs(self.spread.mean) > 2 * error


@dataclass(frozen=True)
class Line:
    """One variant."""

    variant: Variant
    runs: tuple[str, ...]
    figures: dict[str, Spread]
    differences: tuple[Difference, ...]
    parameters: int
    knowledge: int
    gflops: float
    seconds: Spread


@dataclass(frozen=True)
class Table:
    """All of a study; `shown` are the figures that people are told, in order."""

    name: str
    title: str
    source: str
    recipe: Recipe
    seeds: tuple[int, ...]
    lines: tuple[Line, ...]
    shown: tuple[str, ...]


def tabulate(plan: Plan, outcomes: Sequence[Outcome]) -> Table:
    """The table of finished runs, one outcome each, in their order."""
    by_label: dict[str, dict[int, Outcome]] = {variant.label: {} for variant in plan.variants}
    for run, outcome in zip(plan.runs, outcomes, strict=True):
        by_label[run.variant.label][run.seed] = outcome
    figures = {label: _figures(found) for label, found in by_label.items()}
    lines = [
        Line(
            variant=variant,
            runs=tuple(run.recipe.output.name for run in plan.runs if run.variant is variant),
            figures=figures[variant.label],
            differences=_differences(variant, plan.variants, figures),
            parameters=first.parameters,
            knowledge=first.knowledge,
            gflops=first.gflops,
            seconds=Spread.of({seed: one.seconds for seed, one in by_label[variant.label].items()}),
        )
        for variant in plan.variants
        for first in [next(iter(by_label[variant.label].values()))]
    ]
    seeds = tuple(dict.fromkeys(run.seed for run in plan.runs))
    study = plan.study
    return Table(plan.name, study.title, study.source, plan.base, seeds, tuple(lines), _shown(list(figures.values())))


def _figures(found: Mapping[int, Outcome]) -> dict[str, Spread]:
    """Every figure that some seed has."""
    names = dict.fromkeys(name for outcome in found.values() for name in outcome.figures)
    return {
        name: Spread.of({seed: one.figures[name] for seed, one in found.items() if name in one.figures})
        for name in names
    }


def _differences(
    variant: Variant, variants: Sequence[Variant], figures: Mapping[str, Mapping[str, Spread]]
) -> tuple[Difference, ...]:
    """Each figure beside the first of `against` that has it, over the seeds of both."""
    against = [label for label in variant.against or (variants[0].label,) if label != variant.label]
    found = list[Difference]()
    for name, ours in figures[variant.label].items():
        label = next((label for label in against if name in figures[label]), None)
        theirs = {} if label is None else figures[label][name].by_seed
        both = {seed: value - theirs[seed] for seed, value in ours.by_seed.items() if seed in theirs}
        if label is not None and both:
            found.append(Difference(name, label, Spread.of(both)))
    return tuple(found)


def _shown(figures: Sequence[Mapping[str, Spread]]) -> tuple[str, ...]:
    """The main figure of each task, which is its first, and SHOWN_BESIDE, task by task."""
    main = dict[str, list[str]]()
    for name in dict.fromkeys(name for some in figures for name in some):
        task = name.partition("/")[0] if "/" in name else DETECT
        if task not in main or name in SHOWN_BESIDE:
            main.setdefault(task, []).append(name)
    return tuple(name for names in main.values() for name in names)


def chance(seeds: int) -> float:
    """How often a difference of nothing but chance is larger than twice its standard error: the two tails of Student's
    t with seeds - 1 degrees of freedom.
    """
    freedom, t = seeds - 1, np.linspace(-2, 2, 10_001)
    scale = math.lgamma((freedom + 1) / 2) - math.lgamma(freedom / 2) - math.log(freedom * math.pi) / 2
    density = np.exp(scale - (freedom + 1) / 2 * np.log1p(t**2 / freedom))
    return 1 - 4 * float(density.mean())
