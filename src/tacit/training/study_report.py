"""A study's table as files: Markdown for people, JSON for programs, and a drawing."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, replace
from pathlib import Path

from tacit.atomic import replacing
from tacit.training.recipe import Recipe
from tacit.training.studies import Variant
from tacit.training.study_chart import draw_study, name_of
from tacit.training.study_table import Difference, Line, Spread, Table, chance
from tacit.training.typed_json import plain

NOT_TOLD = {"data", "output", "weights", "teacher", "seed"}  # paths of one machine, and what the table has itself


def write_table(table: Table, folder: Path) -> list[Path]:
    """NAME.md, NAME.json and NAME.png in `folder`; their paths."""
    text, values, picture = (folder / f"{table.name}.{ending}" for ending in ("md", "json", "png"))
    with replacing(text) as file:
        file.write(as_markdown(table).encode())
    with replacing(values) as file:
        file.write(as_json(table).encode())
    with replacing(picture) as file:
        draw_study(table, file)
    return [text, values, picture]


def as_json(table: Table) -> str:
    """Everything, with the recipe; figures are parts of one, as they were logged."""
    recipe = {name: value for name, value in plain(asdict(table.recipe)).items() if name not in NOT_TOLD}
    head = {"study": table.name, "title": table.title, "source": table.source, "seeds": table.seeds}
    data = {"data": [path.name for path in table.recipe.data], "start": start_of(table.recipe), "recipe": recipe}
    return json.dumps({**head, **data, "variants": [_line(line) for line in table.lines]}, indent=2) + "\n"


def as_markdown(table: Table) -> str:
    """The table, the differences with their errors, every seed's figures."""
    recipe, seeds = table.recipe, ", ".join(map(str, table.seeds))
    data = ", ".join(path.name for path in recipe.data)
    parts = [
        f"# {table.title}" + (f" (the paper's {table.source})" if table.source else ""),
        f"`{recipe.model}` at {recipe.size} px on {data}, {recipe.epochs} epochs in batches of {recipe.batch}, "
        f"{start_of(recipe)}; seeds {seeds}. Figures in percent, after the last epoch: mean ± sample standard "
        "deviation over the seeds.",
        _grid(*_overview(table)),
        "## Differences",
        "Of one figure to that of another variant with the same seed: their mean ± their own standard deviation.",
        _grid(*_differences(table)),
        _caution(len(table.seeds)),
        "## Every seed",
        _grid(*_by_seed(table)),
    ]
    return "\n\n".join(parts) + "\n"


def start_of(recipe: Recipe) -> str:
    """What every run starts from."""
    if recipe.weights is None:
        return "from random weights"
    return "from the same trunk with new heads"


def _overview(table: Table) -> tuple[list[str], Iterator[list[str]]]:
    published = any(line.variant.ap is not None for line in table.lines)
    header = ["variant", *map(name_of, table.shown), *(["AP in the paper"] if published else [])]
    rows = (
        [
            line.variant.label,
            *(_told(line.figures.get(name)) for name in table.shown),
            *([_published(line.variant)] if published else []),
            f"{line.parameters:,}",
            f"{line.knowledge:,}",
            f"{line.gflops:.3f}",
            _told(line.seconds, scale=1, digits=0),
        ]
        for line in table.lines
    )
    return [*header, "parameters", "of them knowledge", "GFLOPs", "seconds of training"], rows


def _differences(table: Table) -> tuple[list[str], Iterator[list[str]]]:
    header = ["variant", "against", "figure", "difference", "standard error", "larger than twice that"]
    published = {line.variant.label: line.variant.ap for line in table.lines}
    told = [(line, one) for line in table.lines for one in line.differences if one.figure in table.shown]
    rows = ([line.variant.label, *_difference(one), _gain(line, one, published)] for line, one in told)
    return [*header, "in the paper"], rows


def _difference(one: Difference) -> list[str]:
    error = "-" if one.spread.error is None else f"{100 * one.spread.error:.2f}"
    clear = "-" if one.clear is None else "**yes**" if one.clear else "no"
    return [one.against, name_of(one.figure), _told(one.spread, sign="+"), error, clear]


def _gain(line: Line, one: Difference, published: dict[str, float | None]) -> str:
    theirs, ours = published[one.against], line.variant.ap
    return "-" if one.figure != "ap" or ours is None or theirs is None else f"{ours - theirs:+.1f}"


def _by_seed(table: Table) -> tuple[list[str], Iterator[list[str]]]:
    rows = (
        [line.variant.label, name_of(name), *(_percent(line.figures[name].by_seed.get(seed)) for seed in table.seeds)]
        for line in table.lines
        for name in table.shown
        if name in line.figures
    )
    return ["variant", "figure", *(f"seed {seed}" for seed in table.seeds)], rows


def _caution(seeds: int) -> str:
    if seeds < 2:
        return "One seed has no spread: nothing can be said about these differences."
    return (
        f"Twice the standard error is a low bar: with {seeds} seeds, {100 * chance(seeds):.0f} of 100 differences that "
        "are nothing but chance are larger (Student's t). Where the answer is no, no difference was seen."
    )


def _line(line: Line) -> dict[str, object]:
    differences = [{**asdict(one), "error": one.spread.error, "clear": one.clear} for one in line.differences]
    return {**plain(asdict(replace(line, differences=()))), "differences": differences}


def _grid(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table; the first column to the left, the others to the right."""
    lines = [header, ["---", *["---:"] * (len(header) - 1)], *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _told(spread: Spread | None, *, scale: float = 100, digits: int = 2, sign: str = "") -> str:
    if spread is None:
        return "-"
    more = "" if spread.deviation is None else f" ± {scale * spread.deviation:,.{digits}f}"
    return f"{scale * spread.mean:{sign},.{digits}f}{more}"


def _published(variant: Variant) -> str:
    return "-" if variant.ap is None else f"{variant.ap:.1f}"


def _percent(value: float | None) -> str:
    return "-" if value is None else f"{100 * value:.2f}"
