"""The network to start from: random, or the weights in a file; with other classes its trunk, and new heads."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TypeAlias, TypeGuard

import numpy as np
import torch

from tacit.errors import ConfigError, WeightsError
from tacit.network import Network
from tacit.results import DETECT
from tacit.tasks.detect.head import Detect
from tacit.tasks.task import Plan
from tacit.training.recipe import Recipe
from tacit.weights.download import located
from tacit.weights.files import bundled, fit, read, require_fit
from tacit.weights.published import PUBLISHED
from tacit.weights.record import Record
from tacit.weights.structure import network_of

SIZE = 640  # input of a new network whose model was never published, in pixels
Classes: TypeAlias = int | np.integer | Iterable[str]  # how many, or their names
TRUNK = "trunk."  # how the names of its tensors begin


@dataclass(frozen=True, eq=False)
class Start:
    """A network with its record; `origin` tells people where its weights come from, `partly` that only some do."""

    network: Network
    record: Record
    origin: str
    partly: bool = False


def start_from(model: str, classes: Classes, path: Path | None, tasks: Mapping[str, Plan] | None = None) -> Start:
    """A network of that model, those classes (names, or how many) and tasks, with what fits of the weights at `path`.

    All of it fits where the classes are the same (a mere number takes the file's names) and so are the plans of the
    `tasks` (None takes the file's, of which detection may get new classes). Else the trunk does, with every task whose
    plan is the same, and the other heads are new. Raises WeightsError if the file is for another model, ConfigError for
    an unknown model or impossible classes.
    """
    names = class_names(classes) if tasks is None or DETECT in tasks else ()
    if path is None:
        size = PUBLISHED[model].input_size if model in PUBLISHED else SIZE
        record = Record(model=model, classes=names, input_size=size, tasks=_stated(tasks, names))
        return Start(network_of(record), record, "starting from random weights")
    path = located(path)
    old, state = read(path)
    if old.model != model:
        raise WeightsError(f"{path} holds a {old.model!r}, not a {model!r}", fix=f"--model {old.model}")
    with torch.device("meta"):  # a record may claim any size, so the file has to fit it before memory is taken
        require_fit(network_of(old), state, path)
    if _is_count(classes) and len(names) == len(old.classes):
        names = old.classes
    stated = _renamed(old.tasks, names) if tasks is None else _stated(tasks, names)
    new = replace(old, classes=names, tasks=stated, figures={}, scored_on="")  # the licence stays with the trunk
    same = [name for name, plan in new.plans().items() if old.plans().get(name) == plan]
    if new.plans() == old.plans():
        network = network_of(old)
        fit(network, state, path)
        return Start(network, old, f"starting from {path.name}, all of it")
    network = network_of(new)
    kept = (TRUNK, *(f"tasks.{name}." for name in same))
    ours = {name: value for name, value in network.state_dict().items() if not name.startswith(kept)}
    theirs = {name: value for name, value in state.items() if name.startswith(kept)}
    fit(network, ours | theirs, path)
    return Start(network, new, f"starting from {_told(path.name, same, new.plans())}", partly=True)


def _told(name: str, same: Sequence[str], plans: Mapping[str, Plan]) -> str:
    fresh = [task for task in plans if task not in same]
    reason = "its classes are others, so the heads are new" if fresh == [DETECT] else f"new: {', '.join(fresh)}"
    kept = f"the trunk of {name}" if not same else f"the trunk and {', '.join(same)} of {name}"
    return f"{kept}; {reason}" if fresh else kept


def _stated(tasks: Mapping[str, Plan] | None, names: tuple[str, ...]) -> dict[str, Any]:
    """What a record says of its tasks: nothing where they are detection of its classes, as the model has it."""
    if tasks is None or dict(tasks) == {DETECT: {"classes": list(names)}}:
        return {}
    return {name: dict(plan) for name, plan in tasks.items()}


def _renamed(tasks: Mapping[str, Plan], names: tuple[str, ...]) -> dict[str, Any]:
    """The tasks of a record, detection with these classes."""
    return {name: {**plan, "classes": list(names)} if name == DETECT else dict(plan) for name, plan in tasks.items()}


def class_names(classes: Classes) -> tuple[str, ...]:
    """The names, or as many of our own. Raises ConfigError where they are none, or not different."""
    if _is_count(classes):
        names: tuple[object, ...] = tuple(f"class {index}" for index in range(int(classes)))
    else:
        names = (classes,) if isinstance(classes, str) or not isinstance(classes, Iterable) else tuple(classes)
    told = "a number from 1, or a list of different names"
    if not names:
        raise ConfigError(f"a detector cannot have {(_is_count(classes) and classes) or 'no'} classes", allowed=told)
    if isinstance(classes, str) or not all(isinstance(name, str) and name for name in names):
        raise ConfigError(f"classes={classes!r} are no classes", allowed=told, fix="put the names into a list")
    twice = next((name for index, name in enumerate(names) if name in names[:index]), None)
    if twice is not None:
        raise ConfigError(f"the class {twice!r} is named twice", allowed=told)
    return tuple(str(name) for name in names)


def _is_count(classes: Classes) -> TypeGuard[int | np.integer]:
    return isinstance(classes, int | np.integer)


def starting_network(
    recipe: Recipe, classes: tuple[str, ...], tasks: Mapping[str, Plan], *, resumed: Path | None = None
) -> Start:
    """Where a run starts: as the recipe says, or `resumed` from the weights that it wrote last.

    Raises WeightsError if the file is for another model, ConfigError for an unknown one or sizes that do not fit it.
    """
    torch.manual_seed(recipe.seed)
    path = resumed or _named(recipe)
    start = start_from(recipe.model, classes, path, tasks)
    _check_sizes(recipe, start.network.stride)
    for task in start.network.tasks.values():
        if isinstance(task, Detect):
            task.gains = recipe.gains
    return replace(start, origin="going on with the weights of the run") if resumed else start


def settled(recipe: Recipe) -> Recipe:
    """The recipe with the optimiser that suits where it starts (`Optimiser.settled`)."""
    return replace(recipe, optimiser=recipe.optimiser.settled(from_weights=_named(recipe) is not None))


def _named(recipe: Recipe) -> Path | None:
    """The weights that the recipe starts from; None are random ones."""
    return None if recipe.scratch else recipe.weights or bundled(recipe.model)


def _check_sizes(recipe: Recipe, stride: int) -> None:
    for size in (recipe.size_at(epoch) for epoch in range(recipe.epochs)):
        if size % stride:
            wrong = f"pictures of {size} pixels do not fit {recipe.model!r}, whose grid is coarser"
            raise ConfigError(wrong, allowed=f"multiples of {stride}", fix="choose another --size, and no --start-size")
