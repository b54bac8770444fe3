"""Checkpoints: all that a run needs to go on as if it had never stopped, written atomically, read without pickle code."""

from __future__ import annotations

import os
import pickle
from pathlib import Path
from typing import Any

import torch

from tacit.errors import WeightsError


def write_bytes(path: Path, data: bytes) -> None:
    """Either the old file or the whole new one is there, also after a power cut."""
    partial = path.with_name(path.name + ".partial")
    with partial.open("wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    os.replace(partial, path)


def save_checkpoint(state: dict[str, Any], path: Path) -> None:
    """Tensors and plain containers to `path`, atomically."""
    partial = path.with_name(path.name + ".partial")
    with partial.open("wb") as file:
        torch.save(state, file)
        file.flush()
        os.fsync(file.fileno())
    os.replace(partial, path)


def load_checkpoint(path: Path) -> dict[str, Any]:
    """The state again; only tensors and plain containers are accepted. Raises WeightsError for anything else."""
    if not path.is_file():
        raise WeightsError(f"there is no checkpoint at {path}", fix="name the folder of a run that `tacit train` began")
    try:
        state: dict[str, Any] = torch.load(path, map_location="cpu", weights_only=True)
    except (pickle.UnpicklingError, RuntimeError, EOFError, ValueError) as error:
        raise WeightsError(f"{path} is not a checkpoint that can be trusted ({error})") from error
    return state
