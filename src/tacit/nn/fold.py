"""Folding: a network with the same answers and neither batch norm nor knowledge left in it.

Every rule takes two neighbours of a `Sequential`, one of them a convolution W * x + b, and returns one convolution
(1x1 written for brevity, a, m, c the constants that knowledge has become):

    conv, batch norm   (W * x + b - mean) / std * gamma + beta   = (gamma/std W) x + gamma/std (b - mean) + beta
    conv, add          W x + b + a                               = W x + (b + a)                      paper eq. 10
    conv, multiply     m (W x + b)                               = (m W) x + m b
    conv, concat       [c, W x + b]                              = [0; W] x + [c; b]
    multiply, conv     W (m x) + b                               = (W m) x + b                        paper eq. 9
    add, conv          W (x + a) + b                             = W x + (b + W a)
    concat, conv       [W_c, W_x] [c, x] + b                     = W_x x + (b + W_c c)

A batch norm over the concatenation of two branches is one for each of them: its halves go to their ends. Where a branch
ends in a convolution that takes its half up; where it ends in a shortcut's sum or an activation no convolution can, and
what is left of the half is scale x + shift (`ScaleShift`), which is exact as well and one cheap pass over the map.

The first five are exact for every kernel. In the last two a constant meets the zero padding of a kernel larger than
1x1: at the border the padding hides a part of it, so no single bias is right, and the rule refuses.
"""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import TypeAlias, TypeVar

import torch
from torch import Tensor, nn
from torch.nn.utils import skip_init

from tacit.errors import TacitError
from tacit.nn.join import CrossStage, ScaleShift
from tacit.nn.knowledge import Add, Combine, Concat, Knowledge, Multiply

M = TypeVar("M", bound=nn.Module)
Affine: TypeAlias = tuple[Tensor, Tensor]  # weight (out, in / groups, k, k) and bias (out,), in float64
Rule: TypeAlias = Callable[[nn.Conv2d, Affine, nn.Module], Affine]


class FoldError(TacitError):
    """A batch norm or a piece of knowledge that no convolution can take up exactly."""


def fold(network: M) -> M:
    """A folded copy of `network` in evaluation mode; `network` itself stays as it is.

    Raises FoldError where the algebra does not allow it: an activation in between, or a border effect.
    """
    folded = copy.deepcopy(network).eval()
    for module in list(folded.modules()):
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
        merged = _merge(chain.get_submodule(left), chain.get_submodule(right))
        if merged is None:
            position += 1
            continue
        keep, drop = (left, right) if isinstance(chain.get_submodule(left), nn.Conv2d) else (right, left)
        setattr(chain, keep, merged)
        delattr(chain, drop)
        names.remove(drop)
        position = max(position - 1, 0)


def _split_norm(block: CrossStage) -> None:
    """Give each branch its half of the batch norm that works on both of them together."""
    norm, bypass, ending = block.join.norm, block.bypass, block.ending
    if not isinstance(norm, nn.BatchNorm2d):
        return
    assert isinstance(bypass, nn.Conv2d)
    at = norm.num_features - bypass.out_channels
    left, right = _part(norm, slice(at)), _part(norm, slice(at, None))
    merged = _merge(ending[-1], left)
    if merged is None:
        ending.append(_scale_shift(left))
    else:
        ending[-1] = merged
    block.bypass = _convolution(bypass, *_then_batch_norm(bypass, _affine(bypass), right))
    block.join.norm = nn.Identity()


def _part(norm: nn.BatchNorm2d, channels: slice) -> nn.BatchNorm2d:
    part = nn.BatchNorm2d(len(norm.weight[channels]), eps=norm.eps).to(norm.weight).eval()
    part.load_state_dict({name: value[channels] if value.ndim else value for name, value in norm.state_dict().items()})
    return part


@torch.no_grad()
def _scale_shift(norm: nn.BatchNorm2d) -> ScaleShift:
    scale = _scale(norm)
    assert norm.running_mean is not None
    shift = norm.bias.double() - norm.running_mean.double() * scale
    return ScaleShift(scale.to(norm.weight), shift.to(norm.weight))


def _merge(left: nn.Module, right: nn.Module) -> nn.Conv2d | None:
    if isinstance(left, nn.Conv2d):
        return _rule(AFTER, right, left)
    return _rule(BEFORE, left, right) if isinstance(right, nn.Conv2d) else None


def _rule(rules: dict[type[nn.Module], Rule], neighbour: nn.Module, conv: nn.Conv2d) -> nn.Conv2d | None:
    for kind, rule in rules.items():
        if isinstance(neighbour, kind):
            return _convolution(conv, *rule(conv, _affine(conv), neighbour))
    return None


@torch.no_grad()
def _affine(conv: nn.Conv2d) -> Affine:
    weight = conv.weight.double()
    return weight, weight.new_zeros(len(weight)) if conv.bias is None else conv.bias.double()


@torch.no_grad()
def _convolution(old: nn.Conv2d, weight: Tensor, bias: Tensor) -> nn.Conv2d:
    """`old` with another weight and bias, rounded once to its own precision."""
    new = skip_init(  # type: ignore[no-untyped-call]
        nn.Conv2d,
        weight.shape[1] * old.groups,
        len(weight),
        old.kernel_size,
        old.stride,
        old.padding,
        old.dilation,
        old.groups,
        padding_mode=old.padding_mode,
        device=old.weight.device,
        dtype=old.weight.dtype,
    )
    assert isinstance(new, nn.Conv2d)
    assert new.bias is not None
    new.weight.copy_(weight)
    new.bias.copy_(bias)
    return new.requires_grad_(False).eval()


@torch.no_grad()
def _constant(combine: nn.Module) -> Tensor:
    assert isinstance(combine, Combine)
    constant: Tensor = combine.knowledge().double().flatten()
    return constant


def _rows(scale: Tensor, affine: Affine) -> Affine:
    """Scale (W x + b): one factor an output channel."""
    weight, bias = affine
    return weight * scale.view(-1, 1, 1, 1), bias * scale


def _scale(norm: nn.BatchNorm2d) -> Tensor:
    assert norm.running_var is not None
    return norm.weight.double() / (norm.running_var.double() + norm.eps).sqrt()


def _then_batch_norm(_: nn.Conv2d, affine: Affine, norm: nn.Module) -> Affine:
    assert isinstance(norm, nn.BatchNorm2d)
    assert norm.running_mean is not None
    weight, bias = _rows(_scale(norm), (affine[0], affine[1] - norm.running_mean.double()))
    return weight, bias + norm.bias.double()


def _then_add(_: nn.Conv2d, affine: Affine, add: nn.Module) -> Affine:
    return affine[0], affine[1] + _constant(add)


def _then_multiply(_: nn.Conv2d, affine: Affine, multiply: nn.Module) -> Affine:
    return _rows(_constant(multiply), affine)


def _then_concat(conv: nn.Conv2d, affine: Affine, concat: nn.Module) -> Affine:
    _refuse_groups(conv)
    weight, bias = affine
    constant = _constant(concat)
    return torch.cat([weight.new_zeros(len(constant), *weight.shape[1:]), weight]), torch.cat([constant, bias])


def _multiply_then(conv: nn.Conv2d, affine: Affine, multiply: nn.Module) -> Affine:
    _refuse_groups(conv)
    return affine[0] * _constant(multiply).view(1, -1, 1, 1), affine[1]


def _add_then(conv: nn.Conv2d, affine: Affine, add: nn.Module) -> Affine:
    _refuse_groups(conv)
    _refuse_border(conv)
    weight, bias = affine
    return weight, bias + weight.sum((2, 3)) @ _constant(add)


def _concat_then(conv: nn.Conv2d, affine: Affine, concat: nn.Module) -> Affine:
    _refuse_groups(conv)
    _refuse_border(conv)
    weight, bias = affine
    constant = _constant(concat)
    known, seen = weight[:, : len(constant)], weight[:, len(constant) :]
    return seen, bias + known.sum((2, 3)) @ constant


def _refuse_border(conv: nn.Conv2d) -> None:
    if conv.padding_mode == "zeros" and any(conv.padding):
        raise FoldError(
            f"a constant in front of a {conv.kernel_size} convolution with padding {conv.padding} does not fold: "
            "at the border the zero padding hides a part of it",
            allowed="1x1 kernels, or kernels without padding",
            fix="put the knowledge after the convolution",
        )


def _refuse_groups(conv: nn.Conv2d) -> None:
    if conv.groups != 1:
        raise FoldError(
            f"knowledge beside a convolution of {conv.groups} groups does not fold here",
            allowed="add or multiply after it",
        )


AFTER: dict[type[nn.Module], Rule] = {
    nn.BatchNorm2d: _then_batch_norm,
    Add: _then_add,
    Multiply: _then_multiply,
    Concat: _then_concat,
}
BEFORE: dict[type[nn.Module], Rule] = {Add: _add_then, Multiply: _multiply_then, Concat: _concat_then}
