"""`tacit models`: every model that can be built by name, with its figures and those its authors publish."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass

from tacit.cli.screen import parse, say, show_table
from tacit.describe import Description, blank, describe
from tacit.weights.published import Published, published
from tacit.zoo import MODELS

HIDDEN = {"debug"}  # for tests
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
    facts = [published(name) for name in MODELS if name not in HIDDEN]
    models = [(each, describe(blank(each.name), each.input_size)) for each in facts]
    if options.json:
        say(json.dumps([_record(each, figures) for each, figures in models], indent=2))
        return 0
    show_table("models", HEADER, [_row(each, figures) for each, figures in models])
    say(LEGEND)
    return 0


def _row(facts: Published, figures: Description) -> tuple[str, ...]:
    return (
        facts.name,
        f"{figures.parameters:,}",
        f"{figures.knowledge:,}",
        str(figures.size),
        f"{figures.gflops:.2f}",
        f"{figures.strides[0]} to {figures.strides[-1]}",
        *("-" if value is None else f"{value:.1f}" for value in (facts.ap_val, facts.ap_test)),
        "-" if facts.fps is None else f"{facts.fps:.0f}",
    )


def _record(facts: Published, figures: Description) -> dict[str, object]:
    return {
        "name": facts.name,
        "parameters": figures.parameters,
        "knowledge_parameters": figures.knowledge,
        "input_size": figures.size,
        "gflops": round(figures.gflops, 2),
        "strides": figures.strides,
        "published_ap_val": facts.ap_val,
        "published_ap_test": facts.ap_test,
        "published_fps_v100": facts.fps,
        "published_in": facts.source or None,
        "file": facts.file,
        "address": facts.address,
        "licence": facts.licence,
    }
