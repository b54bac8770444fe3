"""Checkpoints: all that a run needs to go on as if never stopped; written atomically, read without pickle code."""

from __future__ import annotations

import pickle
import re
import struct
import warnings
from collections.abc import Collection
from pathlib import Path
from typing import Any

import torch

from tacit.atomic import replacing
from tacit.errors import WeightsError

DAMAGE = (  # what torch's reader raises on bytes that are no checkpoint
    pickle.UnpicklingError,
    struct.error,
    ArithmeticError,
    AssertionError,
    AttributeError,
    EOFError,
    LookupError,
    RuntimeError,
    TypeError,
    ValueError,
)


def save_checkpoint(state: dict[str, Any], path: Path) -> None:
    """Tensors and plain containers to `path`."""
    with replacing(path) as file:
        torch.save(state, file)


def load_checkpoint(path: Path, keys: Collection[str]) -> dict[str, Any]:
    """The state again, which has just these keys; only tensors and plain containers are accepted.

    Raises WeightsError for anything else.
    """
    if not path.is_file():
        raise WeightsError(f"there is no checkpoint at {path}", fix="name the folder of a run that `tacit train` began")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of torch, on pickles that it goes on to refuse
            state = torch.load(path, map_location="cpu", weights_only=True)
    except DAMAGE as error:
        asked = re.search(r"GLOBAL (\S+)", str(error))
        reason = f"it asks for {asked[1]}" if asked else "it is damaged, or something else"
        raise WeightsError(
            f"{path} cannot be trusted as a checkpoint: {reason}",
            allowed="tensors and plain containers, as `tacit train` writes them",
            fix="start the run again",
        ) from error
    if not isinstance(state, dict) or state.keys() != set(keys):
        raise WeightsError(f"{path} is no checkpoint of a run", fix="start the run again")
    return state
