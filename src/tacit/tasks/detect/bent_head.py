"""The detection convolution of one level, with knowledge wherever the paper has it."""

from __future__ import annotations

from collections import OrderedDict

from torch import nn

from tacit.errors import ConfigError
from tacit.nn.knowledge import Add, ClusterConv, Multiply
from tacit.nn.uses import Uses
from tacit.tasks.bend import MODELLINGS, OPERATORS, ahead, aligned, behind

STORED: dict[tuple[str, type[nn.Module]], str] = {("align", Add): "add", ("refine", Multiply): "multiply"}
"""What the published uses are called in every stored file."""


def detection_head(channels: int, anchors: int, classes: int, uses: Uses) -> nn.Sequential:
    """Features (b, channels, h, w) -> (b, anchors x (5 + classes), h, w), all before the sigmoid.

    Output a (5 + classes) + c is value c of anchor a: x, y, w, h, objectness, classes. The published models' children
    are `add`, `conv` and `multiply`; others are `select` (Fig. 5c), `align`, `refine`, and, last, `offsets` (+ z on x
    and y alone, Fig. 5a) and `sizes` (x z on w and h alone, Fig. 5b; x iPR* of Table 5), one value an anchor and
    coordinate. With `clusters` (iFA* of Table 5) `conv` has one z for every anchor. What is refined is the
    convolution's answer, as in the published models, so all of it folds into one convolution.

    Raises ConfigError for a reduction, which is for labels of the whole picture.
    """
    if uses.reduction:
        raise ConfigError("detection has no manifold to reduce", allowed="reduction for tags")
    values, modelling = 5 + classes, MODELLINGS[uses.modelling]
    out, layers = anchors * values, ahead(channels, uses)
    layers["conv"] = _convolution(channels, out, anchors, uses)
    layers |= behind(out, uses)
    if uses.offsets:
        layers["offsets"] = Add(out, modelling, where=_places(anchors, values, (0, 1)))
    if uses.sizes:
        layers["sizes"] = Multiply(out, modelling, where=_places(anchors, values, (2, 3)))
    return nn.Sequential(OrderedDict((STORED.get((name, type(part)), name), part) for name, part in layers.items()))


def _convolution(channels: int, out: int, anchors: int, uses: Uses) -> nn.Conv2d:
    if uses.clusters:
        return ClusterConv(channels, out, anchors, OPERATORS[uses.alignment], MODELLINGS[uses.modelling])
    return nn.Conv2d(aligned(channels, uses), out, kernel_size=1)


def _places(anchors: int, values: int, coordinates: tuple[int, int]) -> list[int]:
    return [anchor * values + coordinate for anchor in range(anchors) for coordinate in coordinates]
