"""Exported files as models: an engine, and a shell of the network that says what the answers mean."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import torch

from tacit.errors import ConfigError, WeightsError
from tacit.network import Network
from tacit.nn.blank import Blank
from tacit.runtime.engine import Answers, Engine
from tacit.runtime.onnx_engine import OnnxEngine
from tacit.runtime.onnx_file import read_onnx
from tacit.runtime.openvino_engine import OpenVinoEngine, read_model
from tacit.runtime.openvino_export import answering, read_passport
from tacit.runtime.passport import Passport
from tacit.runtime.torch_export import TorchProgram
from tacit.weights.record import Record
from tacit.weights.structure import network_of


@dataclass(frozen=True, eq=False)
class Exported:
    """`network` has no weights: these are the engine's."""

    network: Network
    record: Record
    engine: Engine


def is_exported(path: Path) -> bool:
    """Whether a file of that name is an exported one."""
    return path.suffix.lower() in READERS


def load_exported(path: Path, *, trusted: bool = False) -> Exported:
    """What `tacit export` has written. Raises WeightsError for a file that is missing, damaged, not ours, or unsafe."""
    if not path.is_file():
        raise WeightsError(f"there is no model at {path}", fix="check the path")
    if path.suffix.lower() == PROGRAM and not trusted:
        raise WeightsError(
            f"{path} is a program of torch, which can do anything when it is read",
            allowed="exported ONNX and OpenVINO models",
            fix="for a file of your own: tacit.load(path, trusted=True)",
        )
    engine, passport = READERS[path.suffix.lower()](path)
    network = shell(passport)
    _check(engine, network, path)
    return Exported(network, passport.record, engine)


def shell(passport: Passport) -> Network:
    """The network without memory for its weights. Raises WeightsError for a record that this version cannot build."""
    try:
        with torch.device("meta"), Blank():
            return network_of(passport.record).eval()
    except ConfigError as error:
        raise WeightsError(f"the model is one that this version does not know: {error.wrong}") from error


def _check(engine: Engine, network: Network, path: Path) -> None:
    """Raises WeightsError where a small picture is not answered in the shapes that the record would give."""
    picture = torch.zeros(1, 3, 2 * network.stride, 2 * network.stride)
    with torch.inference_mode():
        wanted = network.decode(network(picture.to("meta")))
    try:
        found = engine(picture)
    except RuntimeError as error:
        raise WeightsError(f"{path} is damaged: it cannot be calculated") from error
    if _shapes(found) != _shapes(wanted):
        raise WeightsError(f"{path} is damaged: its answers are not those of the network in its record")


def _shapes(answers: Answers) -> dict[str, dict[str, tuple[torch.Size, torch.dtype]]]:
    return {name: {part: (v.shape, v.dtype) for part, v in parts.items()} for name, parts in answers.items()}


def _of_onnx(path: Path) -> tuple[Engine, Passport]:
    content, passport = read_onnx(path)
    return OnnxEngine(content), passport


def _of_openvino(path: Path) -> tuple[Engine, Passport]:
    model = read_model(path)
    passport = read_passport(model)
    return OpenVinoEngine(answering(model, passport), passport.precision), passport


def _of_torch(path: Path) -> tuple[Engine, Passport]:
    engine = TorchProgram(path)
    return engine, engine.passport


PROGRAM = ".pt2"
READERS: dict[str, Callable[[Path], tuple[Engine, Passport]]] = {
    ".onnx": _of_onnx,
    ".xml": _of_openvino,
    PROGRAM: _of_torch,
}
