"""Tacit: one image, one forward pass, many answers.

    import tacit

    result = tacit.load().predict("photograph.jpg")

Importing `tacit` is cheap; what needs torch is imported when it is first used.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tacit.api import Model, create, load
    from tacit.errors import TacitError
    from tacit.results import Result

__version__ = "0.1.0"
__all__ = ["Model", "Result", "TacitError", "__version__", "create", "load"]

HOMES = {
    "Model": "tacit.api",
    "Result": "tacit.results",
    "TacitError": "tacit.errors",
    "create": "tacit.api",
    "load": "tacit.api",
}


def __getattr__(name: str) -> Any:
    if name not in HOMES:
        raise AttributeError(f"module 'tacit' has no attribute {name!r}")
    return getattr(import_module(HOMES[name]), name)


def __dir__() -> list[str]:
    return sorted(__all__)
