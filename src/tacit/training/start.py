"""The network to start from: random, or the weights in a file; with other classes its trunk, and new heads."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeAlias, TypeGuard

import numpy as np
import torch

from tacit import zoo
from tacit.errors import ConfigError, WeightsError
from tacit.network import Network
from tacit.tasks.detect.head import Detect
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


def start_from(model: str, classes: Classes, path: Path | None) -> Start:
    """A network of that model and those classes (names, or how many), with what fits of the weights at `path`.

    All of it fits where the classes are the same (a mere number takes the file's names); else the trunk does, and the
    heads are new. Raises WeightsError if the file is for another model, ConfigError for an unknown model or impossible
    classes.
    """
    names = class_names(classes)
    if path is None:
        network = zoo.create(model, len(names))
        size = PUBLISHED[model].input_size if model in PUBLISHED else SIZE
        return Start(network, Record(model=model, classes=names, input_size=size), "starting from random weights")
    path = located(path)
    record, state = read(path)
    if record.model != model:
        raise WeightsError(f"{path} holds a {record.model!r}, not a {model!r}", fix=f"--model {record.model}")
    with torch.device("meta"):  # a record may claim any size, so the file has to fit it before memory is taken
        require_fit(network_of(record), state, path)
    if names == record.classes or (_is_count(classes) and len(names) == len(record.classes)):
        network = network_of(record)
        fit(network, state, path)
        return Start(network, record, f"starting from {path.name}, all of it")
    record = replace(record, classes=names, figures={}, scored_on="")  # the licence stays with the trunk
    network = network_of(record)
    heads = {name: value for name, value in network.state_dict().items() if not name.startswith(TRUNK)}
    trunk = {name: value for name, value in state.items() if name.startswith(TRUNK)}
    fit(network, heads | trunk, path)
    origin = f"starting from the trunk of {path.name}; its classes are others, so the heads are new"
    return Start(network, record, origin, partly=True)


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


def starting_network(recipe: Recipe, classes: tuple[str, ...], *, resumed: Path | None = None) -> Start:
    """Where a run starts: as the recipe says, or `resumed` from the weights that it wrote last.

    Raises WeightsError if the file is for another model, ConfigError for an unknown one or sizes that do not fit it.
    """
    torch.manual_seed(recipe.seed)
    path = resumed or (None if recipe.scratch else recipe.weights or bundled(recipe.model))
    start = start_from(recipe.model, classes, path)
    _check_sizes(recipe, start.network.stride)
    detect = start.network.task("detect")
    assert isinstance(detect, Detect)
    detect.gains = recipe.gains
    return replace(start, origin="going on with the weights of the run") if resumed else start


def _check_sizes(recipe: Recipe, stride: int) -> None:
    for size in (recipe.size_at(epoch) for epoch in range(recipe.epochs)):
        if size % stride:
            wrong = f"pictures of {size} pixels do not fit {recipe.model!r}, whose grid is coarser"
            raise ConfigError(wrong, allowed=f"multiples of {stride}", fix="choose another --size, and no --start-size")
