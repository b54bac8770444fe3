"""Every model by name: a family function with all the knobs, a named one with the numbers.

Parameters are for 80 classes; GFLOPs are two for every multiplication and addition of the convolutions, at the native
size. Structure and numbers of the published models: official_models, sections 1 to 5.
"""

from __future__ import annotations

import difflib
from collections.abc import Callable
from dataclasses import replace

from tacit.errors import ConfigError
from tacit.network import Network
from tacit.nn.blocks import DWT, DownC, ReOrg
from tacit.nn.style import MISH, PAPER
from tacit.nn.uses import Operator, Uses
from tacit.tasks.detect.anchors import ANCHORS_640, ANCHORS_1280, ANCHORS_V4_P6, ANCHORS_V4_P7, Anchors
from tacit.tasks.detect.head import PUBLISHED_USES, Detect
from tacit.trunks.pyramid import Plan, PyramidTrunk

CSP = Plan(
    stem=32, stages=((64, 1), (128, 2), (256, 8), (512, 8), (1024, 4)), residual_first=True, tail=True,
    levels=3, neck_depth=2,
)  # fmt: skip
CSP_X = Plan(
    stem=32, stages=((80, 1), (160, 3), (320, 10), (640, 10), (1280, 5)), residual_first=True, tail=True,
    levels=3, pool_depth=2, neck_depth=3,
)  # fmt: skip
P6 = Plan(
    reorganised=1, stem=64, stages=((128, 3), (256, 7), (384, 7), (512, 3), (640, 3)),
    levels=4, neck_depth=3,
)  # fmt: skip
W6 = replace(P6, stages=((128, 3), (256, 7), (512, 7), (768, 3), (1024, 3)))
E6 = replace(P6, stem=80, stages=((160, 3), (320, 7), (640, 7), (960, 3), (1280, 3)), down=DownC, style=PAPER)
D6 = replace(E6, stages=((160, 3), (320, 15), (640, 15), (960, 7), (1280, 7)))
S4_DWT = Plan(
    reorganise=DWT, reorganised=3, stem=None, stages=((128, 3), (256, 3), (512, 1)), down_first=False, tail=True,
    levels=3, neck_depth=1, style=PAPER,
)  # fmt: skip
V4_P6 = Plan(
    stem=32, stages=((64, 1), (128, 3), (256, 15), (512, 15), (1024, 7), (1024, 7)), tail=True,
    levels=4, neck_depth=3, style=MISH,
)  # fmt: skip
V4_P7 = Plan(
    stem=40, stages=((80, 1), (160, 3), (320, 15), (640, 15), (1280, 7), (1280, 7), (1280, 7)), tail=True,
    levels=5, neck_depth=3, style=MISH,
)  # fmt: skip


NANO = Plan(
    reorganised=2, stem=None, stages=((32, 1), (64, 2), (128, 2), (256, 1)), down_first=False,
    levels=3, neck_depth=1,
)  # fmt: skip
DEBUG = replace(NANO, stages=((8, 1), (16, 1), (16, 1), (16, 1)))


BARE = Uses(alignment=Operator.NONE, refinement=Operator.NONE)
"""No knowledge at all, as in the published baselines."""


def pyramid(classes: int, plan: Plan, anchors: Anchors, uses: Uses = PUBLISHED_USES) -> Network:
    """The family: one detection task on every level of the plan's pyramid.

    `uses` says where knowledge bends the detection convolutions. All start with the prior of the objectness and class
    biases, the baselines too, which the official code means to do and fails at (official_models, section 5).
    """
    trunk = PyramidTrunk(plan)
    task = Detect(trunk.channels, trunk.strides, classes, anchors, uses=uses)
    return Network(trunk, {task.name: task}, stride=trunk.strides[-1])


def nano(classes: int = 80) -> Network:
    """The bundled detector, made for two CPU cores: 2.3 M parameters, 1.8 GFLOPs at 416 pixels (80 classes)."""
    return pyramid(classes, NANO, ANCHORS_640)


def debug(classes: int = 80) -> Network:
    """The smallest network of the same build: every test uses it, nobody deploys it."""
    return pyramid(classes, DEBUG, ANCHORS_640)


def yolor_csp(classes: int = 80) -> Network:
    """52,923,994 parameters, 120.24 GFLOPs at 640 pixels, strides 8 to 32."""
    return pyramid(classes, CSP, ANCHORS_640)


def yolor_csp_x(classes: int = 80) -> Network:
    """99,754,058 parameters, 221.88 GFLOPs at 640 pixels, strides 8 to 32."""
    return pyramid(classes, CSP_X, ANCHORS_640)


def yolor_p6(classes: int = 80) -> Network:
    """37,265,016 parameters, 325.12 GFLOPs at 1280 pixels, strides 8 to 64."""
    return pyramid(classes, P6, ANCHORS_1280)


def yolor_w6(classes: int = 80) -> Network:
    """79,873,400 parameters, 452.65 GFLOPs at 1280 pixels, strides 8 to 64."""
    return pyramid(classes, W6, ANCHORS_1280)


def yolor_p6_paper(classes: int = 80) -> Network:
    """37,270,264 parameters, 325.12 GFLOPs at 1280 pixels, strides 8 to 64: another function than yolor-p6."""
    return pyramid(classes, replace(P6, style=PAPER), ANCHORS_1280)


def yolor_w6_paper(classes: int = 80) -> Network:
    """79,880,952 parameters, 452.65 GFLOPs at 1280 pixels, strides 8 to 64: another function than yolor-w6."""
    return pyramid(classes, replace(W6, style=PAPER), ANCHORS_1280)


def yolor_e6(classes: int = 80) -> Network:
    """115,909,400 parameters, 682.12 GFLOPs at 1280 pixels, strides 8 to 64."""
    return pyramid(classes, E6, ANCHORS_1280)


def yolor_d6(classes: int = 80) -> Network:
    """151,782,680 parameters, 934.43 GFLOPs at 1280 pixels, strides 8 to 64."""
    return pyramid(classes, D6, ANCHORS_1280)


def yolor_s4_dwt(classes: int = 80) -> Network:
    """9,216,634 parameters, 16.04 GFLOPs at 640 pixels, strides 8 to 32; wavelets for a stem."""
    return pyramid(classes, S4_DWT, ANCHORS_640)


def yolor_s4_s2d(classes: int = 80) -> Network:
    """The same with space to depth for a stem."""
    return pyramid(classes, replace(S4_DWT, reorganise=ReOrg), ANCHORS_640)


def yolov4_csp(classes: int = 80) -> Network:
    """52,921,437 parameters, 120.24 GFLOPs at 640 pixels: yolor-csp without its knowledge."""
    return pyramid(classes, CSP, ANCHORS_640, BARE)


def yolov4_csp_x(classes: int = 80) -> Network:
    """99,751,053 parameters, 221.88 GFLOPs at 640 pixels: yolor-csp-x without its knowledge."""
    return pyramid(classes, CSP_X, ANCHORS_640, BARE)


def yolov4_p6(classes: int = 80) -> Network:
    """127,585,200 parameters, 717.02 GFLOPs at 1280 pixels, strides 8 to 64, four anchors a cell, no knowledge."""
    return pyramid(classes, V4_P6, ANCHORS_V4_P6, BARE)


def yolov4_p7(classes: int = 80) -> Network:
    """287,566,300 parameters, 1636.70 GFLOPs at 1536 pixels, strides 8 to 128, four anchors a cell, no knowledge."""
    return pyramid(classes, V4_P7, ANCHORS_V4_P7, BARE)


MODELS: dict[str, Callable[[int], Network]] = {
    "nano": nano,
    "debug": debug,
    "yolor-csp": yolor_csp,
    "yolor-csp-x": yolor_csp_x,
    "yolor-p6": yolor_p6,
    "yolor-w6": yolor_w6,
    "yolor-p6-paper": yolor_p6_paper,
    "yolor-w6-paper": yolor_w6_paper,
    "yolor-e6": yolor_e6,
    "yolor-d6": yolor_d6,
    "yolor-s4-dwt": yolor_s4_dwt,
    "yolor-s4-s2d": yolor_s4_s2d,
    "yolov4-csp": yolov4_csp,
    "yolov4-csp-x": yolov4_csp_x,
    "yolov4-p6": yolov4_p6,
    "yolov4-p7": yolov4_p7,
}


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
