"""The one way in: a foreign file becomes a record and tensors under our names."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from torch import Tensor

from tacit.errors import WeightsError
from tacit.weights.foreign.checkpoint import checkpoint
from tacit.weights.foreign.darknet import read_darknet
from tacit.weights.foreign.recognise import recognise
from tacit.weights.foreign.torch_file import read_torch
from tacit.weights.record import Record

DARKNET = ".weights"
FORMATS = (".pt", ".pth", DARKNET)
"""Suffixes of the files that `read_foreign` reads."""


def read_foreign(path: Path) -> tuple[Record, dict[str, Tensor]]:
    """The record of an official checkpoint and its tensors under our names, in its own precision.

    The tensors are windows on the file: copy them before it changes. Raises WeightsError if the file is damaged, asks
    for anything but the parts of a network, or holds none that is known.
    """
    try:
        if path.suffix.lower() == DARKNET:
            record, state = read_darknet(path)
        else:
            record, state = recognise(checkpoint(read_torch(path)))
    except WeightsError as error:
        raise WeightsError(f"{path}: {error.wrong}", allowed=error.allowed, fix=error.fix) from error
    return replace(record, source=path.name), state
