"""`tacit study`: an ablation of the paper, or a comparison of tasks, on one's own data; one table in the end."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated

from tyro.conf import Positional, arg

from tacit.cli.screen import counted, gathered, parse, say
from tacit.cli.train import LISTS, Screen
from tacit.training.recipe import Recipe

ONLY_AT_THE_END = 1_000_000  # epochs between validations: no table shows those in between
BASE = Recipe(output=Path("runs/study"), validate_every=ONLY_AT_THE_END)


@dataclass(frozen=True, kw_only=True)
class Options:
    """Compare variants of one recipe over seeds. Each run has a folder in OUTPUT/runs, which studies share; the same
    command goes on where it was stopped. Every run starts from the same trunk (see --weights, --scratch) with new
    heads. The table becomes OUTPUT/NAME.md, .json and .png.
    """

    name: Annotated[str, Positional, arg(metavar="NAME")]
    """What to compare. alignment, refinement, tasks, operators, forms, modelling: the paper's tables 1 to 6. balance:
    stated and learned weights of --tasks. sharing: every one of --tasks alone, and all in one network."""
    seeds: int = 3
    """How many, from --seed on."""
    recipe: Annotated[Recipe, arg(name="")] = field(default_factory=lambda: BASE)


def run(arguments: Sequence[str]) -> int:
    """Trains what is not yet trained, and writes the table."""
    options = parse(Options, gathered(arguments, LISTS), "study")
    from tacit.training.study import finish, plan_study
    from tacit.training.study_report import write_table
    from tacit.training.study_table import tabulate

    plan = plan_study(options.name, options.recipe, options.seeds)
    outcomes = []
    todo = sum(run.outcome is None for run in plan.runs)
    say(f"{plan.study.title}: {counted(len(plan.runs), 'run')}, of them {todo} to do")
    for number, each in enumerate(plan.runs, 1):
        if (outcome := each.outcome) is None:
            say(f"run {number} of {len(plan.runs)}: {each.variant.label}, seed {each.seed}")
            with Screen(each.recipe.epochs, each.recipe.batch) as screen:
                outcome = finish(each, screen)
        outcomes.append(outcome)
    text, *others = write_table(tabulate(plan, outcomes), plan.base.output)
    say(text.read_text(encoding="utf-8"))
    say(f"{text.name}, {', '.join(path.name for path in others)} are in {text.parent}/")
    return 0
