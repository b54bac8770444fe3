"""Networks as OpenVINO's IR: NAME.xml with the graph and the passport, and NAME.bin with the weights beside it."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from tacit.errors import TacitError, WeightsError
from tacit.runtime.exportable import INPUT
from tacit.runtime.openvino_engine import read_model
from tacit.runtime.passport import KEY, Passport

if TYPE_CHECKING:
    from openvino import Model

ROOM = "tacit"  # in the runtime information


def to_openvino(content: bytes, passport: Passport) -> Model:
    """The ONNX model `content` as one of OpenVINO. Raises ConfigError where the extra `openvino` is missing."""
    return marked(read_model(content), passport)


def marked(model: Model, passport: Passport) -> Model:
    """The model with this passport."""
    for key, value in passport.to_strings().items():
        model.set_rt_info(value, [ROOM, key])
    return model


def save_openvino(model: Model, path: Path) -> None:
    """Write NAME.xml and NAME.bin; the xml, which names the whole, comes last. Raises TacitError, OSError."""
    from openvino import save_model

    with TemporaryDirectory(dir=path.parent, prefix=f".{path.stem}-") as folder:
        part = Path(folder) / path.name
        try:
            save_model(model, part, compress_to_fp16=False)
        except RuntimeError as error:  # of a full disk as well
            raise TacitError(f"{path} cannot be written", fix="make room on the disk, or another --output") from error
        part.with_suffix(".bin").replace(path.with_suffix(".bin"))
        part.replace(path)


def read_passport(model: Model) -> Passport:
    """What a model of OpenVINO says of itself. Raises WeightsError where that is nothing."""
    if not model.has_rt_info([ROOM, KEY]):
        raise WeightsError("the model says nothing of tacit", allowed="models that tacit export has written")
    told = model.get_rt_info([ROOM]).value
    return Passport.from_strings({key: str(value) for key, value in told.items()})


def answering(model: Model, passport: Passport) -> Model:
    """The model with the outputs of its tasks alone. Raises WeightsError where one is missing."""
    known = {name for output in model.outputs for name in output.get_names()}
    missing = set(passport.outputs) - known
    if missing or [output.get_names() for output in model.inputs] != [{INPUT}]:
        lacking = ", ".join(sorted(missing)) or f"the one input {INPUT!r}"
        raise WeightsError(f"the model does not have what its description says: it lacks {lacking[:80]}")
    for result in model.get_results():
        if not result.output(0).get_names() & set(passport.outputs):
            model.remove_result(result)
    return model
