"""Weights on disk: safetensors with a record of what they are and where they come from.

What needs torch is imported when it is first used: facts about published weights and their download do without.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tacit.weights.files import Weights, bundled, fit, load, read, save
    from tacit.weights.record import Record

__all__ = ["Record", "Weights", "bundled", "fit", "load", "read", "save"]


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module 'tacit.weights' has no attribute {name!r}")
    return getattr(import_module("tacit.weights.record" if name == "Record" else "tacit.weights.files"), name)
