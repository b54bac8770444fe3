"""What tasks know before they look, in numbers: their learned constants, and what they answer with and without them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float, Float32
from torch import Tensor, nn
from torch.utils.hooks import RemovableHandle

from tacit.network import Network
from tacit.nn.knowledge import Combine
from tacit.results import DETECT
from tacit.tasks.detect.head import Detect

Cells = Float32[np.ndarray, "_ _"]
"""A row a cell."""


@dataclass(frozen=True, eq=False)
class Constant:
    """g(z) at one `place` of a task: what it adds to the channels, or multiplies them by."""

    task: str
    place: str
    combine: Combine
    ahead: bool
    """Whether it stands in front of a convolution (alignment, selection) or behind it (refinement)."""

    @property
    def values(self) -> Float32[np.ndarray, " channels"]:
        return self.combine.constant().detach().flatten().cpu().numpy()


@dataclass(frozen=True, eq=False)
class Alignment:
    """What one task's convolutions answer on the cells of several levels, without the knowledge in front of them and
    with it; everything else is as it was trained.

    Detection's answers are told by two of their means: objectness, and the score of a class, both before the sigmoid.
    """

    task: str
    place: str
    strides: tuple[int, ...]
    without: tuple[Cells, ...]
    bent: tuple[Cells, ...]


def constants_of(network: Network) -> list[Constant]:
    """Every learned constant of every task, in the network's order."""
    parents = {child: parent for parent in network.tasks.modules() for child in parent.children()}
    found = [(name.split(".", 1), part) for name, part in network.tasks.named_modules() if isinstance(part, Combine)]
    return [Constant(task, place, part, _is_ahead(part, parents[part])) for (task, place), part in found]


def gap(levels: tuple[Cells, ...]) -> float:
    """How far the levels' means lie from each other, beside how far cells of one level do (roots of mean squares)."""
    means = np.stack([cells.mean(0) for cells in levels])
    within = float(np.mean([cells.var(0).sum() for cells in levels]))
    return float(np.sqrt(means.var(0).sum() / within)) if within else 0.0


@torch.no_grad()
def alignments_of(network: Network, images: Float[Tensor, "b 3 h w"]) -> list[Alignment]:
    """Of every place where a task has the same convolution on several levels, and knowledge in front of each."""
    network.eval()
    heard: dict[tuple[str, str], list[tuple[nn.Sequential, Tensor]]] = defaultdict(list)
    hooks = list[RemovableHandle]()
    for name, chain in network.tasks.named_modules():
        if isinstance(chain, nn.Sequential) and _ahead(chain):
            task, place = name.split(".", 1)
            hooks.append(chain.register_forward_hook(_hearing(heard[task, place.split(".")[0]])))
    network(images)
    for hook in hooks:
        hook.remove()
    side = images.shape[-1]
    found = [_alignment(network, task, place, parts, side) for (task, place), parts in heard.items() if len(parts) > 1]
    return [one for one in found if len({cells.shape[1] for cells in one.bent}) == 1]


def _hearing(parts: list[tuple[nn.Sequential, Tensor]]) -> Callable[[nn.Sequential, tuple[Tensor, ...], Tensor], None]:
    return lambda chain, inputs, _: parts.append((chain, inputs[0]))


def _alignment(
    network: Network, task: str, place: str, parts: list[tuple[nn.Sequential, Tensor]], side: int
) -> Alignment:
    told = _of_detection(network) if task == DETECT else _cells
    without = tuple(told(_passed(chain, features, skipping=True)) for chain, features in parts)
    bent = tuple(told(_passed(chain, features, skipping=False)) for chain, features in parts)
    return Alignment(task, place, tuple(side // features.shape[-1] for _, features in parts), without, bent)


def _passed(chain: nn.Sequential, features: Tensor, *, skipping: bool) -> Tensor:
    skipped = _ahead(chain) if skipping else []
    for part in chain:
        features = features if part in skipped else part(features)
    return features


def _ahead(chain: nn.Sequential) -> list[nn.Module]:
    """The knowledge before the chain's convolution that leaves as many channels: what can be skipped."""
    return [part for part in chain if isinstance(part, Combine) and part.widens == 1 and _is_ahead(part, chain)]


def _is_ahead(combine: Combine, parent: nn.Module) -> bool:
    """The constants of single anchors stand in the convolution itself, and bend what it reads."""
    parts = list(parent.children())
    behind = parts[parts.index(combine) + 1 :]
    return not isinstance(parent, nn.Sequential) or any(isinstance(part, nn.Conv2d) for part in behind)


def _of_detection(network: Network) -> Callable[[Tensor], Cells]:
    detect = network.task(DETECT)
    assert isinstance(detect, Detect)

    def told(raw: Tensor) -> Cells:
        values = raw.reshape(len(raw), -1, 5 + detect.classes, *raw.shape[2:])  # b, anchors, values, h, w
        return _cells(torch.stack([values[:, :, 4].mean(1), values[:, :, 5:].mean((1, 2))], dim=1))

    return told


def _cells(maps: Float[Tensor, "b values h w"]) -> Cells:
    return maps.movedim(1, -1).flatten(0, 2).cpu().numpy()
