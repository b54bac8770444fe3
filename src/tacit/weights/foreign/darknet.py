"""Darknet's `.weights`, for the baselines without knowledge: a header of 20 bytes, then the numbers, in order.

Convolution after convolution: with batch norm its bias, weight, mean and variance, then the convolution's weight;
without it the convolution's bias, then its weight (official_models, section 5). There are no names in such a file, so
the number of numbers tells which network it holds.
"""

from __future__ import annotations

import mmap
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import torch
from torch import Tensor

from tacit.errors import WeightsError
from tacit.network import Network
from tacit.tasks.detect.head import Detect
from tacit.trunks.pyramid import PyramidTrunk
from tacit.weights.foreign.recognise import BASELINES, CFG_LINE, record_of, skeleton
from tacit.weights.names import convolutions
from tacit.weights.record import Record

HEADER, NUMBER = 20, 4  # bytes
WITH_NORM = ("bn.bias", "bn.weight", "bn.running_mean", "bn.running_var", "conv.weight")
WITHOUT = ("conv.bias", "conv.weight")
FORGETFUL = "a darknet file holds no implicit knowledge, so it cannot be a YOLOR model"


def read_darknet(path: Path) -> tuple[Record, dict[str, Tensor]]:
    """The record and the tensors, windows on the file. Raises WeightsError, without the path, if no baseline fits."""
    if "yolor" in path.name.lower():
        raise WeightsError(FORGETFUL, fix="use the .pt file; a baseline's .weights should be called so")
    bare, rest = divmod(path.stat().st_size - HEADER, NUMBER)
    fits = [(model, classes) for model in (*BASELINES, *CFG_LINE) for classes in _classes(model, bare) if not rest]
    fits = [fit for fit in fits if fit[0] in BASELINES] or fits
    if len(fits) != 1:
        told = " and ".join(f"{model} with {classes} classes" for model, classes in fits) or "no baseline"
        raise WeightsError(f"its {path.stat().st_size:,} bytes fit {told}", allowed=", ".join(BASELINES))
    (model, classes) = fits[0]
    if model not in BASELINES:
        raise WeightsError(FORGETFUL, fix=f"use the .pt file of {model}")
    if sys.byteorder != "little":
        raise WeightsError("its numbers are little-endian, those of this machine are not")
    return record_of(model, classes), _tensors(path, skeleton(model, classes))


def _classes(model: str, numbers: int) -> list[int]:
    """With how many classes the model, without its knowledge, has that many numbers: one answer or none."""
    bare, each = _numbers(model)
    classes, rest = divmod(numbers - bare, each)
    return [classes] if classes >= 1 and not rest else []


@cache
def _numbers(model: str) -> tuple[int, int]:
    """Of the model without classes, and of each class."""
    network = skeleton(model)
    state, detect = network.state_dict(), network.task("detect")
    assert isinstance(detect, Detect)
    own = sum(state[name].numel() for name in _order(network))
    each = sum(detect.anchors.shape[1] * (width + 1) for width in _widths(network))
    return own - detect.classes * each, each


def _widths(network: Network) -> list[int]:
    """Of the maps that the detection convolutions see."""
    assert isinstance(network.trunk, PyramidTrunk)
    return list(network.trunk.channels)


def _order(network: Network) -> Iterator[str]:
    """Our names in the order of the file."""
    for name in convolutions(network):
        has_norm = hasattr(network.get_submodule(name), "bn")
        yield from (f"{name}.{entry}" for entry in (WITH_NORM if has_norm else WITHOUT))


def _tensors(path: Path, network: Network) -> dict[str, Tensor]:
    with path.open("rb") as file:
        view = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_COPY)  # torch wants memory that it may write to
    numbers, start = torch.frombuffer(view, dtype=torch.float32, offset=HEADER), 0
    wanted, found = network.state_dict(), dict[str, Tensor]()
    for name in _order(network):
        size = wanted[name].numel()
        found[name] = numbers[start : start + size].view(wanted[name].shape)
        start += size
    counters = {name: torch.zeros_like(value, device="cpu") for name, value in wanted.items() if name not in found}
    return found | counters  # how many batches a norm has seen is not told
