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
# parameters, GFLOPs, pixels, convolutions, batch norms, knowledge (tensors, values), last stride, anchors a cell:
# official_models, section 1
PUBLISHED = {
    "yolor-csp": (52_923_994, 120.24, 640, 115, 112, 6, 2_557, 32, 3),
    "yolor-csp-x": (99_754_058, 221.88, 640, 137, 134, 6, 3_005, 32, 3),
    "yolor-p6": (37_265_016, 325.12, 1280, 145, 141, 8, 2_812, 64, 3),
    "yolor-w6": (79_873_400, 452.65, 1280, 145, 141, 8, 3_580, 64, 3),
    "yolor-p6-paper": (37_270_264, 325.12, 1280, 145, 141, 8, 2_812, 64, 3),
    "yolor-w6-paper": (79_880_952, 452.65, 1280, 145, 141, 8, 3_580, 64, 3),
    "yolor-e6": (115_909_400, 682.12, 1280, 161, 157, 8, 4_220, 64, 3),
    "yolor-d6": (151_782_680, 934.43, 1280, 209, 205, 8, 4_220, 64, 3),
    "yolor-s4-dwt": (9_216_634, 16.04, 640, 67, 61, 6, 1_661, 32, 3),
    "yolor-s4-s2d": (9_216_634, 16.04, 640, 67, 61, 6, 1_661, 32, 3),
    "yolov4-csp": (52_921_437, 120.24, 640, 115, 112, 0, 0, 32, 3),
    "yolov4-csp-x": (99_751_053, 221.88, 640, 137, 134, 0, 0, 32, 3),
    "yolov4-p6": (127_585_200, 717.02, 1280, 205, 201, 0, 0, 64, 4),
    "yolov4-p7": (287_566_300, 1636.70, 1536, 247, 242, 0, 0, 128, 4),
}
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


def facts_of(model: str, kind: str = "models", suffix: str = "") -> dict:
    """The golden facts of a model: its shapes, its keys, its gain."""
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
