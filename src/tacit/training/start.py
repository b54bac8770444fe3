"""The network that a run starts from: random, the bundled weights, or a file; other classes get new heads."""

from __future__ import annotations

import torch

from tacit import zoo
from tacit.errors import WeightsError
from tacit.network import Network
from tacit.tasks.detect.head import Detect
from tacit.training.recipe import Recipe
from tacit.weights import bundled, fit, read


def starting_network(recipe: Recipe, classes: tuple[str, ...], *, resumed: bool) -> tuple[Network, str]:
    """The network, and a sentence for people on where its weights come from; a resumed run brings its own.

    Raises WeightsError if the file is for another model, ConfigError for an unknown one.
    """
    torch.manual_seed(recipe.seed)
    network = zoo.create(recipe.model, len(classes))
    detect = network.task("detect")
    assert isinstance(detect, Detect)
    detect.gains = recipe.gains
    if resumed:
        return network, "going on with the weights of the run"
    path = None if recipe.scratch else recipe.weights or bundled(recipe.model)
    if path is None:
        return network, "starting from random weights"
    record, state = read(path)
    if record.model != recipe.model:
        raise WeightsError(f"{path} holds a {record.model!r}, not a {recipe.model!r}", fix=f"--model {record.model}")
    if record.classes == classes:
        fit(network, state, path)
        return network, f"starting from {path.name}, all of it"
    own = network.state_dict()
    kept = {name: value for name, value in state.items() if name.startswith("trunk.")}
    fit(network, {**own, **kept}, path)
    return network, f"starting from the trunk of {path.name}; its classes are others, so the heads are new"
