"""Which layers of an exported network stay as exact as they are when the others go to int8.

What stands between a task's outputs and the last convolutions before them, and these convolutions: coordinates and
chances come out of a handful of numbers, and 256 steps for all of them are too few. In the caption task that is the
whole decoder, where one wrong word changes all that follow. It is little work: 1x1 convolutions, and no pictures.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from openvino import Model, Node

CONVOLUTIONS = frozenset({"Convolution", "GroupConvolution"})
VALUELESS = frozenset({"Constant", "Parameter", "Result", "ShapeOf"})
"""Where no values of a map come from: the way back ends there."""


def kept_layers(model: Model) -> list[str]:
    """The names of these layers, in the order of the graph."""
    kept = _behind_the_convolutions(model)
    return [node.get_friendly_name() for node in model.get_ordered_ops() if node.get_friendly_name() in kept]


def convolutions(model: Model) -> list[str]:
    """The names of all convolutions."""
    return [node.get_friendly_name() for node in model.get_ordered_ops() if node.get_type_name() in CONVOLUTIONS]


def _behind_the_convolutions(model: Model) -> set[str]:
    found, waiting = set[str](), [source for result in model.get_results() for source in _sources(result)]
    while waiting:
        node = waiting.pop()
        name = node.get_friendly_name()
        if name in found or node.get_type_name() in VALUELESS:
            continue
        found.add(name)
        if node.get_type_name() not in CONVOLUTIONS:
            waiting += _sources(node)
    return found


def _sources(node: Node) -> list[Node]:
    return [port.get_source_output().get_node() for port in node.inputs()]
