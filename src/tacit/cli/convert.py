"""`tacit convert`: an official checkpoint becomes a file of ours, with a record of what it is."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated

from tyro.conf import Positional, arg

from tacit.cli.screen import parse, say
from tacit.errors import ConfigError, WeightsError
from tacit.predict.writers import make_folder
from tacit.weights.files import load, save
from tacit.weights.foreign.darknet import FORGETFUL
from tacit.weights.foreign.read import DARKNET

OURS = ".safetensors"


@dataclass(frozen=True, kw_only=True)
class Options:
    """Turn an official checkpoint into a file of ours: same answers, no pickle, and a record of what it is."""

    source: Annotated[Path, Positional, arg(metavar="IN")]
    """YOLOR's .pt of either line, or a baseline's darknet .weights."""
    output: Annotated[Path, Positional, arg(metavar="OUT")]
    """The file to write, NAME.safetensors."""
    model: str | None = None
    """Which model it should be; without it that is read off the file."""
    half: bool = False
    """Round to 16 bits: half the size."""

    def __post_init__(self) -> None:
        if self.output.suffix != OURS:
            raise ConfigError(f"{self.output} is no name for the weights", allowed=f"a name that ends in {OURS}")
        if self.model and self.model.startswith("yolor") and self.source.suffix.lower() == DARKNET:
            raise WeightsError(f"{self.source}: {FORGETFUL}", fix=f"use the .pt file of {self.model}")


def run(arguments: Sequence[str]) -> int:
    """Reads, writes, and says what it was; returns 0."""
    options = parse(Options, arguments, "convert")
    weights = load(options.source)
    if options.model not in {None, weights.record.model}:
        raise WeightsError(f"{options.source} holds a {weights.record.model!r}, not a {options.model!r}")
    origin = f"{options.source.name}, SHA-256 {_checksum(options.source)}"
    record = replace(weights.record, source=origin)
    make_folder(options.output.parent)
    save(weights.network, record, options.output, half=options.half)
    what = f"{record.model}, classes: {len(record.classes)}"
    say(f"{options.source}: {what}, {record.input_size} px, licence {record.licence}")
    say(f"written to {options.output} ({options.output.stat().st_size / 1e6:.1f} MB)")
    return 0


def _checksum(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
