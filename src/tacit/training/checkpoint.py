"""Checkpoints: all that a run needs to go on as if never stopped; written atomically, read without pickle code."""

from __future__ import annotations

import os
import pickle
import re
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO

import torch

from tacit.errors import WeightsError


@contextmanager
def replacing(path: Path) -> Iterator[BinaryIO]:
    """A file to write that takes the place of `path` at the end: the old one or the whole new one is always there."""
    partial = path.with_name(path.name + ".partial")
    with partial.open("wb") as file:
        yield file
        file.flush()
        os.fsync(file.fileno())  # on the disk before it gets the name, or a power cut leaves an empty file
    partial.replace(path)


def save_checkpoint(state: dict[str, Any], path: Path) -> None:
    """Tensors and plain containers to `path`."""
    with replacing(path) as file:
        torch.save(state, file)


def load_checkpoint(path: Path) -> dict[str, Any]:
    """The state again; only tensors and plain containers are accepted. Raises WeightsError for anything else."""
    if not path.is_file():
        raise WeightsError(f"there is no checkpoint at {path}", fix="name the folder of a run that `tacit train` began")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of torch, on pickles that it goes on to refuse
            state: dict[str, Any] = torch.load(path, map_location="cpu", weights_only=True)
    except (pickle.UnpicklingError, RuntimeError, EOFError, ValueError, AssertionError, KeyError) as error:
        asked = re.search(r"GLOBAL (\S+)", str(error))
        reason = f"it asks for {asked[1]}" if asked else "it is damaged, or something else"
        raise WeightsError(
            f"{path} cannot be trusted as a checkpoint: {reason}",
            allowed="tensors and plain containers, as `tacit train` writes them",
            fix="start the run again",
        ) from error
    return state
