"""Networks as torch programs (`.pt2`): no code of tacit is needed to run them, only torch.

torch reads such an archive by evaluating formulas and unpickling what is in it, so a file from a stranger may do
anything. `tacit.load` therefore asks whether it is trusted.
"""

from __future__ import annotations

import json
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING

import torch
from jaxtyping import Float32
from torch import Tensor

from tacit.atomic import replacing
from tacit.errors import WeightsError
from tacit.network import Network
from tacit.runtime.engine import Answers, Engine, Precision
from tacit.runtime.exportable import Exportable, quietly
from tacit.runtime.passport import Passport
from tacit.weights.record import Record

if TYPE_CHECKING:
    from torch.export import ExportedProgram

PASSPORT = "tacit.json"  # the passport's file in the archive


def save_torch(network: Network, record: Record, path: Path, precision: Precision = Precision.FP32) -> Passport:
    """Write the folded network as a program with dynamic batch, height and width, atomically. Raises OSError."""
    from torch import export  # takes long to import, and prediction by others does without

    whole = Exportable(network, record, precision).eval()
    with quietly(), torch.no_grad():
        program = export.export(whole, (whole.example(),), dynamic_shapes=whole.dynamic())
        described = {PASSPORT: json.dumps(whole.passport.to_strings())}
        with replacing(path) as file:
            export.save(program, file, extra_files=described)
    return whole.passport


class TorchProgram(Engine):
    """An exported program in torch, on the CPU. Only for files that are trusted: reading one can run what is in it.

    Raises WeightsError for a file that is damaged or not ours.
    """

    def __init__(self, path: Path) -> None:
        program, self.passport = _read(path)
        self.precision = self.passport.precision
        self._program = program.module()

    @property
    def device(self) -> torch.device:
        return torch.device("cpu")

    @torch.inference_mode()
    def __call__(self, batch: Float32[Tensor, "b 3 h w"]) -> Answers:
        found = dict(zip(self.passport.outputs, self._program(batch), strict=True))
        return {task: {part: found[f"{task}/{part}"] for part in parts} for task, parts in self.passport.parts.items()}


def _read(path: Path) -> tuple[ExportedProgram, Passport]:
    from torch import export

    told = {PASSPORT: ""}
    try:
        with quietly():
            program = export.load(path, extra_files=told)
        described = json.loads(told[PASSPORT])
    except (RuntimeError, ValueError, KeyError, zipfile.BadZipFile) as error:
        raise WeightsError(f"{path} cannot be read as a program of torch", allowed="files of tacit export") from error
    return program, Passport.from_strings(described)
