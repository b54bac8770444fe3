"""Saving and loading networks: safetensors, and the official files; nothing in a file can run."""

from __future__ import annotations

from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save as to_bytes
from torch import Tensor, nn

from tacit.atomic import replacing
from tacit.errors import ConfigError, WeightsError
from tacit.network import Network
from tacit.nn.blank import Blank
from tacit.weights.foreign.read import FORMATS, read_foreign
from tacit.weights.record import Record
from tacit.weights.structure import network_of

KEY = "tacit"  # of the record among the file's metadata


@dataclass(frozen=True, eq=False)
class Weights:
    """A network with its weights, and what the file says of them."""

    network: Network
    record: Record


def bundled(model: str) -> Path | None:
    """The weights that come with the package for a model of the zoo, if there are any."""
    path = Path(str(files("tacit") / "weights" / f"{model}.safetensors"))
    return path if path.is_file() else None


def save(network: Network, record: Record, path: Path, *, half: bool = False) -> None:
    """Write the network's weights and their record, atomically; `half` rounds to 16 bits. Raises OSError."""
    state = {name: stored(value, half=half) for name, value in network.state_dict().items()}
    with replacing(path) as file:
        file.write(to_bytes(state, metadata={KEY: record.to_json()}))


def load(path: Path | None = None) -> Weights:
    """The network in a file, in evaluation mode and single precision; by default the bundled `nano`.

    Raises WeightsError if the file is missing, damaged, not ours, or does not fit the model that it names.
    """
    path = path or bundled("nano")
    if path is None:
        raise WeightsError("this installation has no bundled weights", fix="install tacit from a wheel, or name a file")
    record, state = read(path)
    try:
        if record.structure:  # may claim any size, so it has to fit before memory is taken for it
            with torch.device("meta"), Blank():
                require_fit(network_of(record), state, path)
        with Blank():
            network = network_of(record)
    except ConfigError as error:
        raise WeightsError(f"{path} needs a model that this version does not know: {error.wrong}") from error
    fit(network, state, path)
    return Weights(network.eval(), record)


def read(path: Path) -> tuple[Record, dict[str, Tensor]]:
    """The record and the tensors of a file: ours, in single precision, or an official one (.pt, .weights), in its own.

    Raises WeightsError if it is neither.
    """
    if not path.is_file():
        raise WeightsError(f"there is no weights file at {path}", fix="check the path")
    if path.suffix.lower() in FORMATS:
        return read_foreign(path)
    metadata, state = read_tensors(path)
    if KEY not in metadata:
        raise WeightsError(f"{path} holds tensors but no record of tacit", allowed="files written by tacit")
    return Record.from_json(metadata[KEY]), state


def read_tensors(path: Path) -> tuple[dict[str, str], dict[str, Tensor]]:
    """The metadata and the tensors, in single precision, of a safetensors file. Raises WeightsError if it is none."""
    try:
        with safe_open(path, framework="pt") as file:
            metadata = file.metadata() or {}
            state = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118  (a file, not a dict)
    except (SafetensorError, OSError) as error:
        raise WeightsError(
            f"{path} cannot be read as weights ({error})", allowed="safetensors files of tacit"
        ) from error
    return metadata, {name: value.float() if value.is_floating_point() else value for name, value in state.items()}


def fit(network: nn.Module, state: dict[str, Tensor], path: Path) -> None:
    """Copy every tensor to its place. Raises WeightsError naming what is missing, left over or of another shape."""
    require_fit(network, state, path)
    network.load_state_dict(state)


def require_fit(network: nn.Module, state: dict[str, Tensor], path: Path) -> None:
    """Raises WeightsError naming what `state` lacks for the network, has too much, or has in another shape."""
    wanted = network.state_dict()
    missing = sorted(wanted.keys() - state.keys())
    extra = sorted(state.keys() - wanted.keys())
    shapes = sorted(name for name in wanted.keys() & state.keys() if wanted[name].shape != state[name].shape)
    for what, names in (("lacks", missing), ("has too many tensors:", extra), ("has other shapes in", shapes)):
        if names:
            raise WeightsError(f"{path} does not fit its model: it {what} {', '.join(names[:3])} ({len(names)} in all)")


def stored(value: Tensor, *, half: bool) -> Tensor:
    """As it goes into a file: on the CPU, in one piece, `half` in 16 bits."""
    value = value.detach().cpu().contiguous()
    return value.to(torch.float16) if half and value.is_floating_point() else value
