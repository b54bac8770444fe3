"""`tacit models`: every model that can be built by name, with its figures and those its authors publish."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass

from tacit.cli.screen import parse, say, show_table
from tacit.weights.published import PUBLISHED, Counted, Published

FIRST_STRIDE = 8
HEADER = ("model", "parameters", "knowledge", "pixels", "GFLOPs", "strides", "AP val", "AP test", "fps")
LEGEND = """\
parameters with 80 classes; knowledge: those of them that are implicit knowledge, gone after folding
pixels: the side of the native input; GFLOPs there: 2 x multiplications and additions of the convolutions
AP: COCO val2017 and test-dev, percent; fps: V100, one photograph at a time, from end to end; as published, - where not
tacit info NAME tells more of one, tacit download NAME fetches the published weights"""


@dataclass(frozen=True, kw_only=True)
class Options:
    """List the published models: parameters, GFLOPs, strides, published accuracy and speed."""

    json: bool = False
    """One JSON list in the place of the table."""


def run(arguments: Sequence[str]) -> int:
    """Shows all models, with 80 classes."""
    options = parse(Options, arguments, "models")
    models = [(each, each.counted) for each in PUBLISHED.values() if each.counted]
    if options.json:
        say(json.dumps([_record(facts, counted) for facts, counted in models], indent=2))
        return 0
    show_table("models", HEADER, [_row(facts, counted) for facts, counted in models])
    say(LEGEND)
    return 0


def _row(facts: Published, counted: Counted) -> tuple[str, ...]:
    return (
        facts.name,
        f"{counted.parameters:,}",
        f"{counted.knowledge:,}",
        str(facts.input_size),
        f"{counted.gflops:.2f}",
        f"{FIRST_STRIDE} to {counted.last_stride}",
        *("-" if value is None else f"{value:.1f}" for value in (facts.ap_val, facts.ap_test)),
        "-" if facts.fps is None else f"{facts.fps:.0f}",
    )


def _record(facts: Published, counted: Counted) -> dict[str, object]:
    return {
        "name": facts.name,
        "parameters": counted.parameters,
        "knowledge_parameters": counted.knowledge,
        "input_size": facts.input_size,
        "gflops": counted.gflops,
        "strides": [FIRST_STRIDE << step for step in range((counted.last_stride // FIRST_STRIDE).bit_length())],
        "published_ap_val": facts.ap_val,
        "published_ap_test": facts.ap_test,
        "published_fps_v100": facts.fps,
        "published_in": facts.source or None,
        "file": facts.file,
        "address": facts.address,
        "licence": facts.licence,
    }
