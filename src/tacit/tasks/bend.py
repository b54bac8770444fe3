"""Where a task's own knowledge bends the shared features (paper, eq. 5): from a plan's `Uses` to the layers."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import fields
from enum import Enum
from typing import Any

from torch import nn

from tacit.errors import ConfigError, WeightsError
from tacit.nn.knowledge import (
    Add,
    Combine,
    Concat,
    InnerProduct,
    Knowledge,
    MatrixFactorisation,
    Multiply,
    NeuralNetwork,
    Vector,
)
from tacit.nn.uses import Modelling, Operator, Uses

OPERATORS: dict[Operator, type[Combine]] = {
    Operator.ADD: Add,
    Operator.MULTIPLY: Multiply,
    Operator.CONCAT: Concat,
}
MODELLINGS: dict[Modelling, type[Knowledge]] = {
    Modelling.VECTOR: Vector,
    Modelling.NETWORK: NeuralNetwork,
    Modelling.FACTORISATION: MatrixFactorisation,
}
COORDINATES = 32
"""Of the projection before an inner product, at most: the smaller manifold of Fig. 3."""


def uses_to_json(uses: Uses) -> dict[str, Any]:
    """Plain values for a plan's "knowledge"."""
    values = {field.name: getattr(uses, field.name) for field in fields(uses)}
    return {name: value.value if isinstance(value, Enum) else value for name, value in values.items()}


def uses_of(plan: Mapping[str, Any]) -> Uses:
    """What the plan's "knowledge" says; what it does not name is as in every published YOLOR.

    Raises WeightsError for a use that is unknown or impossible.
    """
    told = plan.get("knowledge", {})
    if not isinstance(told, Mapping):
        raise WeightsError(f"the knowledge of a task is {str(told)[:40]!r}", allowed="the uses of it, by name")
    defaults = uses_to_json(Uses())
    unknown = [str(name)[:40] for name in told if name not in defaults]
    if unknown:
        raise WeightsError(f"a task has no knowledge called {unknown[0]!r}", allowed=", ".join(defaults))
    try:
        return Uses(**{name: _value(name, value) for name, value in told.items()})
    except (ConfigError, TypeError, ValueError) as error:
        raise WeightsError(f"the knowledge of a task is amiss ({error})"[:200]) from error


def _value(name: str, value: Any) -> Any:
    kind = type(getattr(Uses(), name))
    if not isinstance(value, bool if kind is bool else str):
        raise TypeError(f"{name} is {str(value)[:40]!r}")
    return kind(value)


def bent(channels: int, out: int, uses: Uses) -> nn.Sequential:
    """Features (b, channels, h, w) -> (b, out, h, w), through the task's own knowledge and one 1x1 convolution.

    The children are those of `select` (x z, Fig. 5c), `align` (Fig. 4), `conv` (with bias), `reduce` (Fig. 3) and
    `refine` that `uses` names. A concatenated constant has as many channels as the features, and the convolution
    takes both. With a reduction the convolution projects to at most 32 coordinates, and the answers are their inner
    products with z. All of it folds into the one convolution. Raises WeightsError for a use that only detection has:
    uses come from plans.
    """
    if uses.clusters or uses.offsets or uses.sizes:
        raise WeightsError("only detection has anchors, centres and sizes to refine", allowed="alignment, refinement")
    layers, projected = ahead(channels, uses), min(out, COORDINATES) if uses.reduction else out
    layers["conv"] = nn.Conv2d(aligned(channels, uses), projected, kernel_size=1)
    if uses.reduction:
        layers["reduce"] = InnerProduct(projected, out, MODELLINGS[uses.modelling])
    return nn.Sequential(layers | behind(out, uses))


def ahead(channels: int, uses: Uses) -> OrderedDict[str, nn.Module]:
    """The knowledge before a convolution: `select`, `align`; with clusters the convolution has its alignment itself."""
    layers, modelling = OrderedDict[str, nn.Module](), MODELLINGS[uses.modelling]
    if uses.selection:
        layers["select"] = Multiply(channels, modelling)
    if uses.alignment is not Operator.NONE and not uses.clusters:
        layers["align"] = OPERATORS[uses.alignment](channels, modelling)
    return layers


def aligned(channels: int, uses: Uses) -> int:
    """How many channels the features have when they are aligned."""
    return channels if uses.alignment is Operator.NONE else channels * OPERATORS[uses.alignment].widens


def behind(out: int, uses: Uses) -> OrderedDict[str, nn.Module]:
    """The knowledge after a convolution: `refine`."""
    layers = OrderedDict[str, nn.Module]()
    if uses.refinement is not Operator.NONE:
        layers["refine"] = OPERATORS[uses.refinement](out, MODELLINGS[uses.modelling])
    return layers
