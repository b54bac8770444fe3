"""Where an exported network is cut, to be given eight bits ahead of the cut and none behind it.

The cut is behind the last convolutions before the outputs, which stay exact themselves: coordinates and chances come
out of a handful of numbers, and 256 steps for all of them are too few. So does what makes answers of theirs, and in the
caption task that is a whole decoder, where one other word changes all that follow. It is little work: convolutions of
1x1, and no pictures.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from openvino import Model, Node

CONVOLUTIONS = frozenset({"Convolution", "GroupConvolution"})
OWN = frozenset({"Constant", "Result"})  # either side has its own


def last_convolutions(model: Model) -> list[Node]:
    """Those that a way back from an output meets first; ways of sizes alone do not count."""
    seen = set[str]()
    found: dict[str, Node] = {}
    waiting: list[Node] = list(model.get_results())
    while waiting:
        node = waiting.pop()
        name, kind = node.get_friendly_name(), node.get_type_name()
        if name in seen:
            continue
        seen.add(name)
        if kind in CONVOLUTIONS:
            found[name] = node
        elif kind != "ShapeOf":
            waiting += _sources(node)
    return list(found.values())


def ahead_of(model: Model, ends: list[Node]) -> Model:
    """The part of `model` that leads to `ends`, which are its outputs."""
    from openvino import Model, opset13

    return Model([opset13.result(end) for end in ends], model.get_parameters(), model.get_friendly_name())


def joined(changed: Model, ahead: Model, whole: Model) -> Model:
    """`whole`, with `changed` in the place of its part `ahead`; layers are known by their names. `whole` is used up."""
    from openvino import Model

    twins = {node.get_friendly_name(): node for node in changed.get_ordered_ops()}
    names = {node.get_friendly_name() for node in ahead.get_ordered_ops() if node.get_type_name() not in OWN}
    for node in whole.get_ordered_ops():
        if node.get_friendly_name() in names:
            continue
        for port in node.inputs():
            source = port.get_source_output()
            name = source.get_node().get_friendly_name()
            if name in names:
                port.replace_source_output(twins[name].output(source.get_index()))
    return Model(whole.get_results(), changed.get_parameters(), whole.get_friendly_name())


def _sources(node: Node) -> list[Node]:
    return [port.get_source_output().get_node() for port in node.inputs()]
