"""Published models as the golden files describe them: built without the cost of a random start, filled by name."""

import json
import math
from collections.abc import Callable
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
import torch
from golden.fill import unit
from torch import nn

from tacit.network import Network
from tacit.weights.names import cfg_names, paper_names
from tacit.zoo import create

GOLDEN = Path(__file__).parent / "golden"
FILES = {
    "yolor-csp": "main_yolor_csp",
    "yolor-p6": "main_yolor_p6",
    "yolov4-csp": "main_yolov4_csp",
    "yolov4-p6": "main_yolov4_p6",
    "yolor-p6-paper": "paper_yolor-p6",
    "yolor-w6-paper": "paper_yolor-w6",
    "yolor-s4-dwt": "paper_yolor-ssss-dwt",
    "yolor-s4-s2d": "paper_yolor-ssss-s2d",
}  # models with golden files
BIG = ("yolov4-p6", "yolor-w6-paper")


def slow_if(models, big):
    """Parameters of a test, the big models marked slow."""
    return [pytest.param(model, marks=pytest.mark.slow) if model in big else model for model in models]


@contextmanager
def untouched():
    """Convolutions made in here hold whatever lay in memory."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(nn.Conv2d, "reset_parameters", lambda conv: None)
        yield


def on_meta(model: str, classes: int = 80) -> Network:
    """A network of shapes alone."""
    with torch.device("meta"):
        return create(model, classes)


def facts_of(model: str, kind: str = "models") -> dict:
    """The golden facts of a model: its shapes, its keys, its gain."""
    suffix = "" if kind == "models" else "_train"
    return json.loads((GOLDEN / kind / f"{FILES[model]}{suffix}.json").read_text())


def arrays_of(model: str, kind: str = "models", suffix: str = "") -> dict[str, np.ndarray]:
    with np.load(GOLDEN / kind / f"{FILES[model]}{suffix}.npz") as file:
        return dict(file)


def translation(model: str) -> Callable[[list[str], Network], dict[str, str]]:
    """Official names -> ours, for the line the model is of."""
    return cfg_names if FILES[model].startswith("main") else paper_names


def names_of(model: str, network: Network) -> dict[str, str]:
    return translation(model)([key for key, _, _ in facts_of(model)["state_dict"]], network)


def golden_value(key: str, shape: tuple[int, ...], gain: float) -> torch.Tensor:
    """What the golden files' models hold under an official name."""
    kind, spread = key.rsplit(".", 1)[-1], 2 * unit(key, shape) - 1
    if kind == "num_batches_tracked":
        return torch.zeros(shape, dtype=torch.int64)
    conv = math.sqrt(gain / math.prod(shape[1:])) if len(shape) == 4 else 0.0
    centre, width = {
        "implicit": (0.5, 0.25),
        "running_var": (1.0, 0.5),
        "running_mean": (0.0, 0.2),
        "bias": (0.0, 0.2),
        "weight": (0.0, conv) if len(shape) == 4 else (1.0, 0.2),
    }[kind]
    return torch.from_numpy(np.asarray(centre + width * spread, dtype=np.float32))


@torch.no_grad()
def filled(model: str, gain: float) -> Network:
    """The network with the weights of the golden files, in evaluation mode."""
    with untouched():
        network = create(model, 80)
    state = network.state_dict()
    for official, ours in names_of(model, network).items():
        state[ours].copy_(golden_value(official, tuple(state[ours].shape), gain))
    return network.eval()


def golden_images(shape: tuple[int, ...], name: str = "input") -> torch.Tensor:
    return torch.from_numpy(unit(name, tuple(shape)).astype(np.float32))


def rows_of(outputs: list[torch.Tensor]) -> torch.Tensor:
    """(batch, rows, 5 + classes), ordered by level, anchor, y, x."""
    return torch.cat([level.flatten(1, 3) for level in outputs], dim=1)
