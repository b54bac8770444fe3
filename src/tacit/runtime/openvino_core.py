"""The one OpenVINO of this process.

A `Core` that has compiled for the CPU gives the thread an alternate stack for signals, and frees it in the end, even
where the thread still uses it: then the next signal that Python hears (Ctrl-C, a worker that ends) kills the process.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

from tacit.errors import ConfigError
from tacit.runtime.silence import unreported

if TYPE_CHECKING:
    from openvino import Core


def core() -> Core:
    """It never ends. Raises ConfigError where the extra `openvino` is missing."""
    try:
        with unreported():
            from openvino import Core
    except ImportError as error:
        raise ConfigError(
            "the engine openvino is not installed", fix="pip install 'tacit[openvino]', or choose another --engine"
        ) from error
    return _the_one(Core)


@cache
def _the_one(kind: type[Core]) -> Core:
    return kind()
