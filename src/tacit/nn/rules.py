"""The algebra of folding: a convolution and its neighbour become one convolution.

Every rule takes two neighbours of a `Sequential`, one of them a convolution W * x + b, and returns one convolution
(1x1 written for brevity; a, m, c are the constants that knowledge has become, Z is an inner product's matrix):

    conv, batch norm   (W * x + b - mean) / std * gamma + beta   = (gamma/std W) x + gamma/std (b - mean) + beta
    conv, add          W x + b + a                               = W x + (b + a)                      paper eq. 10
    conv, multiply     m (W x + b)                               = (m W) x + m b
    conv, concat       [c, W x + b]                              = [0; W] x + [c; b]
    conv, product      Z (W x + b)                               = (Z W) x + Z b
    product, conv      W (Z x) + b                               = (W Z) x + b
    multiply, conv     W (m x) + b                               = (W m) x + b                        paper eq. 9
    add, conv          W (x + a) + b                             = W x + (b + W a)
    concat, conv       [W_c, W_x] [c, x] + b                     = W_x x + (b + W_c c)

The first seven are exact for every kernel. In the last two a constant meets the zero padding of a kernel larger than
1x1: at the border the padding hides a part of it, so no single bias is right, and the rule refuses.

A convolution with knowledge for every anchor (`ClusterConv`) is one of these for every anchor's rows, which stack.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

import torch
from torch import Tensor, nn
from torch.nn.utils import skip_init

from tacit.errors import TacitError
from tacit.nn.knowledge import Add, ClusterConv, Combine, Concat, InnerProduct, Multiply

Affine: TypeAlias = tuple[Tensor, Tensor]  # weight (out, in / groups, k, k) and bias (out,), in float64
Rule: TypeAlias = Callable[[nn.Conv2d, Affine, nn.Module], Affine]


class FoldError(TacitError):
    """A batch norm or a piece of knowledge that no convolution can take up exactly."""


def merge(left: nn.Module, right: nn.Module) -> nn.Conv2d | None:
    """One convolution for both, or None where neither is a convolution with a rule for the other.

    Raises FoldError for a pair that only looks as if it folded.
    """
    if isinstance(left, nn.Conv2d):
        return _rule(AFTER, right, left)
    return _rule(BEFORE, left, right) if isinstance(right, nn.Conv2d) else None


def _rule(rules: dict[type[nn.Module], Rule], neighbour: nn.Module, conv: nn.Conv2d) -> nn.Conv2d | None:
    for kind, rule in rules.items():
        if isinstance(neighbour, kind):
            return _convolution(conv, *rule(conv, _affine(conv), neighbour))
    return None


@torch.no_grad()
def unclustered(conv: ClusterConv) -> nn.Conv2d:
    """The plain convolution with the same answers: each anchor's rows have taken up its z."""
    weight, bias = _affine(conv)
    parts = zip(conv.clusters, weight.chunk(len(conv.clusters)), bias.chunk(len(conv.clusters)), strict=True)
    folded = [BEFORE[type(bend)](conv, (rows, part), bend) for bend, rows, part in parts]
    return _convolution(conv, torch.cat([rows for rows, _ in folded]), torch.cat([part for _, part in folded]))


def renormed(conv: nn.Conv2d, norm: nn.BatchNorm2d) -> nn.Conv2d:
    """The convolution and the batch norm behind it in one."""
    return _convolution(conv, *_then_batch_norm(conv, _affine(conv), norm))


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
    return combine.constant().double().flatten()


def _rows(scale: Tensor, affine: Affine) -> Affine:
    """Scale (W x + b): one factor an output channel."""
    weight, bias = affine
    return weight * scale.view(-1, 1, 1, 1), bias * scale


def scale_of(norm: nn.BatchNorm2d) -> Tensor:
    """What each channel is multiplied by, in float64."""
    assert norm.running_var is not None
    return norm.weight.double() / (norm.running_var.double() + norm.eps).sqrt()


def _then_batch_norm(_: nn.Conv2d, affine: Affine, norm: nn.Module) -> Affine:
    assert isinstance(norm, nn.BatchNorm2d)
    assert norm.running_mean is not None
    weight, bias = _rows(scale_of(norm), (affine[0], affine[1] - norm.running_mean.double()))
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


@torch.no_grad()
def _matrix(product: nn.Module) -> Tensor:
    assert isinstance(product, InnerProduct)
    return product.matrix().double()


def _then_product(conv: nn.Conv2d, affine: Affine, product: nn.Module) -> Affine:
    _refuse_groups(conv)
    matrix = _matrix(product)
    return torch.einsum("ao,oikl->aikl", matrix, affine[0]), matrix @ affine[1]


def _product_then(conv: nn.Conv2d, affine: Affine, product: nn.Module) -> Affine:
    _refuse_groups(conv)
    return torch.einsum("oakl,ai->oikl", affine[0], _matrix(product)), affine[1]


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
    InnerProduct: _then_product,
}
BEFORE: dict[type[nn.Module], Rule] = {
    Add: _add_then,
    Multiply: _multiply_then,
    Concat: _concat_then,
    InnerProduct: _product_then,
}
