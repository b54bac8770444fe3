"""What a training wrote into a file: somewhere in it a network, as a state dict or as the module itself."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from torch import Tensor

from tacit.errors import WeightsError
from tacit.weights.foreign.pickled import Inert

ENTRIES = ("ema", "model")  # where the network lies; the moving average, if there is one, is what gets scored
MOST_MODULES = 10_000  # a module may hold itself


@dataclass(frozen=True, eq=False)
class Checkpoint:
    """The network of a file: its tensors by official name, and what its module says besides."""

    state: dict[str, Tensor]
    description: dict[Any, Any] | None = None
    """The dictionary that the network was built from (depths, widths, layers)."""
    names: tuple[str, ...] = ()
    """Class names."""


def checkpoint(saved: object) -> Checkpoint:
    """The network in what `read_torch` gave back. Raises WeightsError if there is none."""
    entries = [saved[name] for name in ENTRIES if isinstance(saved, Mapping) and saved.get(name) is not None]
    network = entries[0] if entries else saved
    if isinstance(network, Inert):
        return _of_module(network)
    if isinstance(network, Mapping) and any(isinstance(value, Tensor) for value in network.values()):
        return Checkpoint(_of_state(network))
    held = ", ".join(map(str, list(saved)[:5])) if isinstance(saved, Mapping) else type(saved).__name__
    raise WeightsError(f"there is no network in it, only {held}"[:200], allowed="a state dict, or a whole network")


def _of_state(state: Mapping[Any, Any]) -> dict[str, Tensor]:
    for name, value in state.items():
        if not isinstance(name, str) or not isinstance(value, Tensor):
            raise WeightsError(f"the entry {name!r} of its network is a {type(value).__name__}", allowed="tensors")
    wrapped = all(name.startswith("module.") for name in state)  # trained on several devices
    return {name.removeprefix("module.") if wrapped else name: value for name, value in state.items()}


def _of_module(module: Inert) -> Checkpoint:
    names, description = module.get("names"), module.get("yaml")
    listed = isinstance(names, list) and all(isinstance(name, str) for name in names)
    return Checkpoint(
        _tensors(module),
        description if isinstance(description, dict) else None,
        tuple(names) if isinstance(names, list) and listed else (),
    )


def _tensors(module: Inert) -> dict[str, Tensor]:
    """As the module's own state_dict would give them: parameters and buffers under the names of the modules."""
    found, waiting = dict[str, Tensor](), [("", module)]
    for _ in range(MOST_MODULES):
        if not waiting:
            break
        prefix, part = waiting.pop()
        for kind in ("_parameters", "_buffers", "_modules"):
            children = part.get(kind)
            for name, value in children.items() if isinstance(children, dict) else ():
                if isinstance(value, Tensor):
                    found[f"{prefix}{name}"] = value
                elif isinstance(value, Inert) and kind == "_modules":
                    waiting.append((f"{prefix}{name}.", value))
    if waiting:
        raise WeightsError("the modules of its network have no end")
    if not found:
        raise WeightsError(f"its network, a {module.name}, has no weights")
    return found
