"""The engine that runs ONNX models: onnxruntime, on the CPU."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from threading import Lock
from typing import Any

import torch
from jaxtyping import Float32
from torch import Tensor

from tacit.errors import ConfigError, WeightsError
from tacit.runtime.engine import Answers, Engine
from tacit.runtime.exportable import INPUT
from tacit.runtime.passport import Passport

FATAL = 4  # the log's level: what goes wrong is raised


class OnnxEngine(Engine):
    """An exported model in onnxruntime, with as many threads as torch has in the thread that calls: there is a session
    for each such number, so that passes side by side do not share theirs.

    `content` is the file's. Raises ConfigError where onnxruntime is not installed, and WeightsError for a model that is
    damaged, has no passport, or does not answer what its passport says.
    """

    def __init__(self, content: bytes) -> None:
        self.content, self._sessions, self._one = content, dict[int, Any](), Lock()
        session = self._session()
        self.passport = Passport.from_strings(session.get_modelmeta().custom_metadata_map)
        self.precision = self.passport.precision
        missing = set(self.passport.outputs) - {output.name for output in session.get_outputs()}
        if missing or [source.name for source in session.get_inputs()] != [INPUT]:
            lacking = ", ".join(sorted(missing)) or f"the one input {INPUT!r}"
            raise WeightsError(f"the model does not have what its description says: it lacks {lacking[:80]}")

    @property
    def device(self) -> torch.device:
        return torch.device("cpu")

    @property
    def at_once(self) -> int:
        return torch.get_num_threads()

    def __call__(self, batch: Float32[Tensor, "b 3 h w"]) -> Answers:
        names = list(self.passport.outputs)
        with _refused("calculate"):
            values = self._session().run(names, {INPUT: batch.contiguous().numpy()})
        found = dict(zip(names, values, strict=True))
        return {
            task: {part: torch.from_numpy(found[f"{task}/{part}"]) for part in parts}
            for task, parts in self.passport.parts.items()
        }

    def _session(self) -> Any:
        """The one with as many threads as torch has here."""
        threads = torch.get_num_threads()
        with self._one:
            if threads not in self._sessions:
                self._sessions[threads] = session_of(self.content)
            return self._sessions[threads]


def session_of(content: bytes) -> Any:
    """A session of onnxruntime for any ONNX model, ours or not. Raises as `OnnxEngine` does."""
    try:
        import onnxruntime
    except ImportError as error:
        raise ConfigError("onnxruntime is not installed", fix="pip install 'tacit[onnx]'") from error
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = torch.get_num_threads()
    options.log_severity_level = FATAL
    with _refused("load"):
        return onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"])


@contextmanager
def _refused(what: str) -> Iterator[None]:
    """Raises WeightsError for what onnxruntime does not want to load or calculate."""
    from onnxruntime.capi import onnxruntime_pybind11_state as state

    kinds = (state.Fail, state.InvalidArgument, state.InvalidGraph, state.InvalidProtobuf, state.NotImplemented)
    try:
        yield
    except (*kinds, state.RuntimeException) as error:
        reason = str(error).partition("\n")[0][:200]
        raise WeightsError(
            f"onnxruntime cannot {what} the model ({reason})", allowed="models of tacit export"
        ) from error
