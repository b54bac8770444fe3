"""Folding: a network with the same answers and neither batch norm nor knowledge left in it.

Two neighbours of a `Sequential`, one of them a convolution, become one convolution wherever `rules.py` has the algebra.

A batch norm over the concatenation of two branches is one for each of them: its halves go to their ends. Where a branch
ends in a convolution that takes its half up; where it ends in a shortcut's sum or an activation no convolution can, and
what is left of the half is scale x + shift (`ScaleShift`), which is exact as well and one cheap pass over the map.
"""

from __future__ import annotations

import copy
from typing import TypeVar

import torch
from torch import nn

from tacit.nn.join import CrossStage, ScaleShift
from tacit.nn.knowledge import ClusterConv, Knowledge
from tacit.nn.rules import FoldError, merge, renormed, scale_of, unclustered

M = TypeVar("M", bound=nn.Module)


def fold(network: M) -> M:
    """A folded copy of `network` in evaluation mode; `network` itself stays as it is.

    Raises FoldError where the algebra does not allow it: an activation in between, or a border effect.
    """
    folded = copy.deepcopy(network).eval()
    for module in list(folded.modules()):
        _uncluster(module)
        if isinstance(module, CrossStage):
            _split_norm(module)
    for module in list(folded.modules()):
        if isinstance(module, nn.Sequential):
            _fold_neighbours(module)
    for name, module in folded.named_modules():
        if isinstance(module, nn.BatchNorm2d | Knowledge):
            raise FoldError(
                f"{name} ({type(module).__name__}) has no convolution directly beside it to fold into",
                allowed="batch norm after a convolution or where two branches join, knowledge directly beside one",
            )
    return folded


def _fold_neighbours(chain: nn.Sequential) -> None:
    names, position = [name for name, _ in chain.named_children()], 0
    while position + 1 < len(names):
        left, right = names[position], names[position + 1]
        merged = merge(chain.get_submodule(left), chain.get_submodule(right))
        if merged is None:
            position += 1
            continue
        keep, drop = (left, right) if isinstance(chain.get_submodule(left), nn.Conv2d) else (right, left)
        setattr(chain, keep, merged)
        delattr(chain, drop)
        names.remove(drop)
        position = max(position - 1, 0)


def _uncluster(module: nn.Module) -> None:
    for name, child in list(module.named_children()):
        if isinstance(child, ClusterConv):
            setattr(module, name, unclustered(child))


def _split_norm(block: CrossStage) -> None:
    """Give each branch its half of the batch norm that works on both of them together."""
    norm, bypass, ending = block.join.norm, block.bypass, block.ending
    if not isinstance(norm, nn.BatchNorm2d):
        return
    assert isinstance(bypass, nn.Conv2d)
    at = norm.num_features - bypass.out_channels
    left, right = _part(norm, slice(at)), _part(norm, slice(at, None))
    merged = merge(ending[-1], left)
    if merged is None:
        ending.append(_scale_shift(left))
    else:
        ending[-1] = merged
    block.bypass = renormed(bypass, right)
    block.join.norm = nn.Identity()


def _part(norm: nn.BatchNorm2d, channels: slice) -> nn.BatchNorm2d:
    part = nn.BatchNorm2d(len(norm.weight[channels]), eps=norm.eps).to(norm.weight).eval()
    part.load_state_dict({name: value[channels] if value.ndim else value for name, value in norm.state_dict().items()})
    return part


@torch.no_grad()
def _scale_shift(norm: nn.BatchNorm2d) -> ScaleShift:
    scale = scale_of(norm)
    assert norm.running_mean is not None
    shift = norm.bias.double() - norm.running_mean.double() * scale
    return ScaleShift(scale.to(norm.weight), shift.to(norm.weight))
