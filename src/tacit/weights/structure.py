"""From a record to its network: a model of the zoo, or the published family with numbers of its own, as JSON."""

from __future__ import annotations

from typing import Any

from tacit.assemble import with_tasks
from tacit.errors import WeightsError
from tacit.network import Network
from tacit.nn.attention import NonLocal, Transformer
from tacit.nn.blocks import DWT, DownC, Halve, ReOrg
from tacit.nn.selection import SelectiveKernel
from tacit.nn.style import PAPER
from tacit.results import DETECT
from tacit.tasks.detect.anchors import Anchors
from tacit.trunks.pyramid import Plan
from tacit.weights.record import Record
from tacit.zoo import create, pyramid

FAMILY = "pyramid"
"""What a record calls the model of a network that has no name in the zoo; its `structure` says the rest."""
STEMS = {"ReOrg": ReOrg, "DWT": DWT}
DOWNS = {"Halve": Halve, "DownC": DownC}
MIXERS = {None: None, "Transformer": Transformer, "NonLocal": NonLocal, "SelectiveKernel": SelectiveKernel}
FLAGS, COUNTS = ("down_first", "residual_first", "tail"), ("levels", "neck_depth", "pool_depth", "reorganised")
WIDEST, DEEPEST, MOST_STAGES, LARGEST_ANCHOR = 8192, 64, 8, 65536


def network_of(record: Record) -> Network:
    """The network that the record describes, with random weights.

    Raises ConfigError for a model that the zoo does not have, WeightsError for impossible numbers.
    """
    classes = _classes_of(record)
    if record.model != FAMILY:
        network = create(record.model, classes)
    else:
        network = pyramid(classes, *from_json(record.structure))
    return with_tasks(network, record.tasks) if record.tasks else network


def _classes_of(record: Record) -> int:
    """How many there are to detect; a network that detects nothing is the same trunk without that task."""
    detect = record.plans().get(DETECT)
    if detect is None:
        return 1
    if not record.classes or detect.get("classes") != list(record.classes):
        count, other = len(record.classes), f"or other ones than its task {DETECT!r}"
        raise WeightsError(f"the record in the weights file is damaged: {count} classes, {other}")
    return len(record.classes)


def check(record: Record) -> Record:
    """The record, if `network_of` can build it."""
    from_json(record.structure)
    return record


def to_json(plan: Plan, anchors: Anchors) -> dict[str, Any]:
    """Plain values for a record; every such network is of the paper's line."""
    assert plan.style == PAPER
    return {
        **{name: getattr(plan, name) for name in (*FLAGS, *COUNTS, "stem")},
        "reorganise": plan.reorganise.__name__,
        "down": plan.down.__name__,
        **({"mixer": plan.mixer.__name__} if plan.mixer else {}),
        "stages": [list(stage) for stage in plan.stages],
        "anchors": [[list(anchor) for anchor in level] for level in anchors],
    }


def from_json(values: dict[str, Any]) -> tuple[Plan, Anchors]:
    """The plan and the anchors again. Raises WeightsError for numbers that are none, or beyond all measure."""
    try:
        stages = tuple((_count(width, WIDEST), _count(depth, DEEPEST)) for width, depth in values["stages"])
        anchors = tuple(tuple((_anchor(w), _anchor(h)) for w, h in level) for level in values["anchors"])
        flags = {name: values[name] is True for name in FLAGS}
        counts = {name: _count(values[name], MOST_STAGES, least=0) for name in COUNTS}
        stem = None if values["stem"] is None else _count(values["stem"], WIDEST)
        kinds = {
            "reorganise": STEMS[values["reorganise"]],
            "down": DOWNS[values["down"]],
            "mixer": MIXERS[values.get("mixer")],
        }
    except (KeyError, TypeError, ValueError) as error:
        raise WeightsError(f"the numbers of the network are amiss ({error!r})"[:200]) from error
    plan = Plan(stages=stages, stem=stem, style=PAPER, **kinds, **flags, **counts)  # type: ignore[arg-type]
    if not 2 <= plan.levels <= len(stages) <= MOST_STAGES or 0 in {plan.neck_depth, plan.pool_depth}:
        raise WeightsError(f"a network cannot have {plan.levels} levels over {len(stages)} stages")
    if len(anchors) != plan.levels or len({len(level) for level in anchors}) != 1 or not anchors[0]:
        raise WeightsError("the anchors of the network do not fit its levels")
    return plan, anchors


def _count(value: Any, most: int, least: int = 1) -> int:
    if type(value) is not int or not least <= value <= most:
        raise ValueError(f"{str(value)[:40]} is not from {least} to {most}")
    return value


def _anchor(value: Any) -> int:
    return _count(value, LARGEST_ANCHOR)
