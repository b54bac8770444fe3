"""Which network a foreign checkpoint holds, read off its entries, and what those are called here."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import replace
from functools import cache

import torch
from torch import Tensor

from tacit import zoo
from tacit.errors import WeightsError
from tacit.network import Network
from tacit.nn.blank import Blank
from tacit.nn.blocks import DWT, ReOrg
from tacit.tasks.detect.anchors import ANCHORS_640, ANCHORS_1280, Anchors
from tacit.tasks.detect.head import Detect
from tacit.trunks.pyramid import Plan, PyramidTrunk
from tacit.weights.foreign.checkpoint import Checkpoint
from tacit.weights.foreign.class_names import class_names
from tacit.weights.foreign.description import plan_of
from tacit.weights.names import cfg_names, paper_names
from tacit.weights.published import published
from tacit.weights.record import Record
from tacit.weights.structure import FAMILY, check, network_of, to_json

CFG_LINE = ("yolor-csp", "yolor-csp-x", "yolor-p6", "yolor-w6")
BASELINES = ("yolov4-csp", "yolov4-csp-x", "yolov4-p6", "yolov4-p7")
PAPER_LINE = ("yolor-p6-paper", "yolor-w6-paper", "yolor-e6", "yolor-d6", "yolor-s4-dwt", "yolor-s4-s2d")
PAPER_ANCHORS = {3: ANCHORS_640, 4: ANCHORS_1280}  # by the number of levels
LICENCE = "GPL-3.0"  # of every official file
DETECTION_BIAS = re.compile(r"module_list\.\d+\.Conv2d\.bias|model\.\d+\.m\.\d+\.bias")
LEAST_LIKENESS = 0.5
Names = Callable[[Iterable[str], Network], dict[str, str]]


def recognise(found: Checkpoint) -> tuple[Record, dict[str, Tensor]]:
    """The record of the network, and its tensors under our names, in the precision of the file.

    Raises WeightsError, without the path, for a network of no published line, or one that lacks something.
    """
    first = next(iter(found.state))
    if first.startswith("module_list."):
        record = _cfg_record(found.state)
        return record, _translated(found.state, cfg_names, record)
    if first.startswith("model."):
        record = _paper_record(found)
        return record, _translated(found.state, paper_names, record)
    raise WeightsError(
        f"its network is of no line that is known here: it begins with {first[:80]!r}",
        allowed="YOLOR's and its baselines', with entries module_list.0... or model.0...",
    )


def skeleton(model: str, classes: int = 80) -> Network:
    """A network of the zoo without any numbers: shapes alone."""
    with torch.device("meta"), Blank():
        return zoo.create(model, classes)


def record_of(model: str, classes: int, names: tuple[str, ...] = ()) -> Record:
    """The record of a published network that was read from a foreign file."""
    size = published(model).input_size
    return Record(model=model, classes=class_names(classes, names), input_size=size, licence=LICENCE)


def _cfg_record(state: dict[str, Tensor]) -> Record:
    knowing = any(key.endswith(".implicit") for key in state)
    model = _likeliest(state, CFG_LINE if knowing else BASELINES)
    detect = skeleton(model).task("detect")
    assert isinstance(detect, Detect)
    return record_of(model, _classes(state, detect.anchors.shape[1]))


def _paper_record(found: Checkpoint) -> Record:
    described = found.description is not None
    plan = plan_of(found.description or {}) if described else _plan(_likeliest(found.state, PAPER_LINE))
    # without the wavelet package the official DWT is silently a ReOrg; then there are no filters among the buffers
    plan = replace(plan, reorganise=DWT if any(".xfm." in key for key in found.state) else ReOrg)
    anchors = _anchors(found.state, plan.levels)
    classes = _classes(found.state, len(anchors[0]))
    named = next((model for model in PAPER_LINE if _plan(model) == plan), None)
    if named and anchors == PAPER_ANCHORS[plan.levels]:
        return record_of(named, classes, found.names)
    numbers = to_json(plan, anchors)
    size, names = 640 if plan.levels == 3 else 1280, class_names(classes, found.names)
    return check(Record(model=FAMILY, structure=numbers, classes=names, input_size=size, licence=LICENCE))


@cache
def _plan(model: str) -> Plan:
    trunk = skeleton(model).trunk
    assert isinstance(trunk, PyramidTrunk)
    return trunk.plan


def _likeliest(state: dict[str, Tensor], models: Iterable[str]) -> str:
    """The model that shares most shapes with the file; classes change only a few of them."""
    held = _shapes(state)
    likeness = {}
    for model in models:
        own = _shapes_of(model)
        likeness[model] = (held & own).total() / max(held.total(), own.total())
    best = max(likeness, key=likeness.__getitem__)
    if likeness[best] < LEAST_LIKENESS:
        raise WeightsError("its network has the shapes of no published one", allowed=", ".join(likeness))
    return best


@cache
def _shapes_of(model: str) -> Counter[torch.Size]:
    return _shapes(skeleton(model).state_dict())


def _shapes(state: dict[str, Tensor]) -> Counter[torch.Size]:
    return Counter(value.shape for value in state.values() if value.ndim == 4)


def _classes(state: dict[str, Tensor], anchors: int) -> int:
    """From the detection convolution's outputs: (5 + classes) for every anchor of a cell."""
    outputs = next((len(value) for key, value in state.items() if DETECTION_BIAS.fullmatch(key) and value.ndim), 0)
    classes = outputs // anchors - 5
    if outputs % anchors or classes < 1:
        told = f"its detection has {outputs} outputs" if outputs else "it has no detection"
        raise WeightsError(f"{told}, where (5 + classes) x {anchors} belong")
    return classes


def _anchors(state: dict[str, Tensor], levels: int) -> Anchors:
    """In pixels, from the buffer of the detection: (levels, 1, anchors, 1, 1, 2); a bare state dict may lack it."""
    grid = next((value for key, value in state.items() if key.endswith(".anchor_grid")), None)
    if grid is None and levels in PAPER_ANCHORS:
        return PAPER_ANCHORS[levels]
    if grid is None or grid.ndim != 6 or grid.shape != (levels, 1, grid.shape[2], 1, 1, 2) or not grid.numel():
        raise WeightsError(f"its anchors do not fit {levels} levels")
    if not torch.equal(grid, grid.round()) or not grid.isfinite().all():
        raise WeightsError("its anchors are no whole pixels")
    return tuple(tuple((int(w), int(h)) for w, h in level) for level in grid[:, 0, :, 0, 0].tolist())


def _translated(state: dict[str, Tensor], translate: Names, record: Record) -> dict[str, Tensor]:
    """The tensors under our names. Raises WeightsError naming what is missing, left over or of another shape."""
    with torch.device("meta"), Blank():
        network = network_of(record)
    try:
        names = translate(state, network)
    except WeightsError as error:
        raise WeightsError(f"it is most like {record.model!r}, but {error.wrong}") from error
    wanted = network.state_dict()
    missing = sorted(wanted.keys() - set(names.values()))
    shapes = [official for official, ours in names.items() if state[official].shape != wanted[ours].shape]
    for what, which in (("lacks", missing), ("has other shapes in", shapes)):
        if which:
            raise WeightsError(
                f"it is most like {record.model!r}, but {what} {', '.join(which[:3])} ({len(which)} in all)"
            )
    return {ours: state[official] for official, ours in names.items()}
