"""Every model by name: a family function with all the knobs, a named one with the numbers."""

from __future__ import annotations

import difflib
from collections.abc import Callable

from tacit.errors import ConfigError
from tacit.network import Network
from tacit.tasks.detect.head import Detect
from tacit.trunks.light import LightTrunk


def light(
    classes: int, *, widths: tuple[int, int, int, int], depths: tuple[int, int, int, int], neck_depth: int
) -> Network:
    """The light family: ReOrg stem, CSP stages at strides 4 to 32, one detection task on strides 8 to 32."""
    trunk = LightTrunk(widths, depths, neck_depth)
    return Network(trunk, [Detect(trunk.channels, trunk.strides, classes)], stride=32)


def nano(classes: int = 80) -> Network:
    """The bundled detector, made for two CPU cores: 2.3 M parameters, 1.8 GFLOPs at 416 pixels (80 classes)."""
    return light(classes, widths=(32, 64, 128, 256), depths=(1, 2, 2, 1), neck_depth=1)


def debug(classes: int = 80) -> Network:
    """The smallest network of the same family: every test uses it, nobody deploys it."""
    return light(classes, widths=(8, 16, 16, 16), depths=(1, 1, 1, 1), neck_depth=1)


MODELS: dict[str, Callable[[int], Network]] = {"nano": nano, "debug": debug}


def create(model: str, classes: int) -> Network:
    """A new network with random weights for that many classes.

    Raises ConfigError for an unknown name or an impossible number of classes.
    """
    if model not in MODELS:
        near = difflib.get_close_matches(model, MODELS, n=1)
        hint = f"did you mean {near[0]!r}?" if near else ""
        raise ConfigError(f"there is no model called {model!r}", allowed=", ".join(MODELS), fix=hint)
    if classes < 1:
        raise ConfigError(f"a detector cannot have {classes} classes", allowed="1 or more")
    return MODELS[model](classes)
