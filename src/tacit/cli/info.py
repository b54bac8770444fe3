"""`tacit info`: one model or one weights file; what it is, what it takes, its blocks, its layers, its drawing."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, TypeAlias

from tyro.conf import Positional, arg

from tacit.cli.screen import parse, say, show_table
from tacit.describe import Description, blank, describe
from tacit.diagram import Block, blocks_of
from tacit.diagram_file import save_diagram
from tacit.errors import ConfigError
from tacit.knowledge_chart import save_knowledge
from tacit.network import Network
from tacit.weights.download import cached
from tacit.weights.files import Weights, bundled, load
from tacit.weights.knowledge_file import is_knowledge, read
from tacit.weights.knowledge_record import KnowledgeRecord
from tacit.weights.published import PUBLISHED, Published, published
from tacit.weights.record import Record
from tacit.zoo import MODELS

Row: TypeAlias = tuple[str, str]
SHOWN_CLASSES = 5


@dataclass(frozen=True, kw_only=True)
class Options:
    """Describe a model or a weights file: where it comes from, what it takes, its blocks, layers and drawing."""

    what: Annotated[str, Positional, arg(metavar="NAME|FILE")]
    """Name of a model, such as yolor-p6 ('tacit models' lists them), or a weights or knowledge file."""
    size: int | None = None
    """Side of the input in pixels; without it the native one."""
    layers: bool = False
    """Also list every layer."""
    draw: Path | None = None
    """Also draw the network into this file: .png, .svg or .pdf."""
    draw_knowledge: Path | None = None
    """Also draw what its tasks have learned without looking, as PNG files into this folder."""


def run(arguments: Sequence[str]) -> int:
    """Tells all there is to tell."""
    options = parse(Options, arguments, "info")
    if is_knowledge(Path(options.what)):
        show_table(options.what, ("what", ""), list(_taught(read(Path(options.what)).record)))
        return 0
    network, native, rows = _of_file(Path(options.what)) if _is_file(options.what) else _of_name(options.what)
    figures = describe(network, options.size or native)
    show_table(options.what, ("what", ""), [*rows, *_figures(figures)])
    blocks = blocks_of(network, figures.size)
    show_table("blocks", ("block", "layers", "output", "parameters", "GFLOPs"), _block_rows(blocks, figures))
    if options.layers:
        show_table("layers", ("layer", "kind", "output", "parameters", "GFLOPs"), _layer_rows(figures))
    if options.draw is not None:
        pixels = f"{figures.size} × {figures.size} pixels"
        work = f"{figures.parameters:,} parameters, {figures.gflops:.2f} GFLOPs"
        save_diagram(blocks, options.draw, f"{Path(options.what).name}: {pixels}, {work}")
        say(f"drawn to {options.draw}")
    if options.draw_knowledge is not None:
        learned = _learned(options.what)
        for path in save_knowledge(learned.network, learned.record.input_size, options.draw_knowledge):
            say(f"drawn to {path}")
    return 0


def _is_file(what: str) -> bool:
    known = what in MODELS or what in PUBLISHED
    return Path(what).is_file() or (not known and Path(what).suffix != "")


def _learned(what: str) -> Weights:
    """The file, or what the package or the cache has under that name. Raises ConfigError where that is nothing."""
    path = Path(what) if _is_file(what) else bundled(what) or (cached(what) if what in PUBLISHED else None)
    if path is None:
        raise ConfigError(f"{what} has no weights here, so it has learned nothing", fix="name a weights file")
    return load(path)


def _of_file(path: Path) -> tuple[Network, int, list[Row]]:
    weights = load(path)
    return weights.network, weights.record.input_size, list(_record(weights.record))


def _of_name(name: str) -> tuple[Network, int, list[Row]]:
    """The network, its native size, and what is known of it: of the weights in the package, or what is published."""
    if (own := bundled(name)) is not None:
        return _of_file(own)
    if name in MODELS and name not in PUBLISHED:
        return blank(name), 640, []
    facts = published(name)
    if facts.model is None:
        path = cached(name)
        if path is None:
            raise ConfigError(
                f"the structure of {name} stands nowhere but in its file", fix=f"fetch it: tacit download {name}"
            )
        return _of_file(path)
    return blank(facts.model), facts.input_size, list(_published(facts))


def _published(facts: Published) -> Iterator[Row]:
    if facts.file is not None:
        path = cached(facts.name)
        yield "published file", f"{facts.file}, licence {facts.licence}"
        yield "address", facts.address or "none that a program could fetch it from"
        yield "in the cache", "no" if path is None else str(path)
    for what, value in (("AP, COCO val2017, %", facts.ap_val), ("AP, COCO test-dev, %", facts.ap_test)):
        if value is not None:
            yield f"published {what}", f"{value:.1f}"
    if facts.fps is not None:
        yield "published photographs a second, V100, batch 1", f"{facts.fps:.0f}"
    if facts.source:
        yield "published in", facts.source


def _record(record: Record) -> Iterator[Row]:
    more = len(record.classes) - SHOWN_CLASSES
    told = {
        "model": record.model,
        "classes": [*record.classes[:SHOWN_CLASSES], *([f"and {more} more"] if more > 0 else [])],
        "licence": record.licence,
        "converted from": record.source,
        "trained on": record.data,
        "teacher": record.teacher,
        "epochs": record.epochs,
        "hardware": record.hardware,
        "figures": record.figures,
        "scored on": record.scored_on,
    }
    yield from ((what, _text(value)) for what, value in told.items() if value)


def _taught(record: KnowledgeRecord) -> Iterator[Row]:
    told = {
        "knowledge": record.name,
        "task": record.task,
        "taught to the trunk of": f"{record.model}, {record.trunk}",
        "classes": record.classes,
        "taught with": [*record.data, f"{record.photographs} photographs"],
        "epochs": record.epochs,
        "untaught": record.before,
        "taught": record.after,
        "scored on": record.scored_on,
        "licence": record.licence,
    }
    yield from ((what, _text(value)) for what, value in told.items() if value)


def _text(value: object) -> str:
    """For the screen; files may hold anything, so nothing in it steers the terminal."""
    if isinstance(value, dict):
        value = [f"{name} {_text(inner)}" for name, inner in value.items()]
    if isinstance(value, list | tuple):
        return ", ".join(_text(inner) for inner in value)
    text = f"{value:g}" if isinstance(value, float) else str(value)
    return text if text.isprintable() else ascii(text)


def _figures(figures: Description) -> Iterator[Row]:
    yield "answers", ", ".join(figures.tasks)
    yield "input, pixels", f"{figures.size} x {figures.size}"
    yield "parameters", f"{figures.parameters:,}"
    yield "of them implicit knowledge", f"{figures.knowledge:,}"
    yield "GFLOPs (2 x MAC of the convolutions)", f"{figures.gflops:.2f}"
    for stride, anchors in zip(figures.strides, figures.anchors, strict=True):
        yield f"anchors at stride {stride}, pixels", ", ".join(f"{w} x {h}" for w, h in anchors)


def _block_rows(blocks: Sequence[Block], figures: Description) -> Iterator[tuple[str, ...]]:
    for block in blocks:
        inside = [layer for layer in figures.layers if f"{layer.name}.".startswith(f"{block.name}.")]
        parameters, flops = sum(layer.parameters for layer in inside), sum(layer.flops for layer in inside)
        yield block.name, block.content, _shape(block.shape), f"{parameters:,}", f"{flops / 1e9:.2f}"


def _layer_rows(figures: Description) -> Iterator[tuple[str, ...]]:
    for layer in figures.layers:
        yield layer.name, layer.kind, _shape(layer.shape), f"{layer.parameters:,}", f"{layer.flops / 1e9:.3f}"


def _shape(shape: tuple[int, ...]) -> str:
    return " x ".join(map(str, shape))
