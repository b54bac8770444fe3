"""OpenVINO: on Intel's CPUs the fastest of all, and at home on ARM's."""

from __future__ import annotations

import hashlib
from collections import OrderedDict, deque
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING

import numpy as np
import torch
from jaxtyping import Float32
from torch import Tensor

from tacit.errors import WeightsError
from tacit.processor import CPU, gains_from_bfloat16
from tacit.runtime.engine import Answers, Engine, Precision
from tacit.runtime.openvino_core import core

if TYPE_CHECKING:
    from openvino import CompiledModel, InferRequest, Model

KEPT = 4
"""Shapes of batches that stay compiled: lying and standing photographs, a full batch and the rest of one."""


class _Compiled:
    """A model of one shape, for a number of passes at a time. A request is one pass, and is used again."""

    def __init__(self, model: CompiledModel) -> None:
        self.model, self.idle = model, deque["InferRequest"]()

    def __call__(self, batch: Float32[Tensor, "b 3 h w"]) -> Answers:
        try:
            request = self.idle.pop()
        except IndexError:
            request = self.model.create_infer_request()
        found = request.infer({0: np.ascontiguousarray(batch.numpy())}, share_inputs=True)
        self.idle.append(request)
        answers: Answers = {}
        for output, values in found.items():
            task, part = output.get_any_name().split("/")
            answers.setdefault(task, {})[part] = torch.from_numpy(values)
        return answers


class OpenVinoEngine(Engine):
    """An exported network (ONNX as bytes, an ONNX file, OpenVINO's IR, or what it has read of one) on the CPU, with
    torch's number of threads: for one pass, or, where the threads that call have fewer, for passes side by side.

    The model is compiled anew for every shape of a batch: with fixed sizes it is faster, and the last `KEPT` are kept.
    A model with int8 inside calculates the rest in bfloat16 where that is faster. Raises ConfigError where the extra
    `openvino` is missing and WeightsError for what is no model.
    """

    def __init__(self, model: bytes | Path | Model, precision: Precision = Precision.FP32) -> None:
        self.precision = precision
        self.model = read_model(model) if isinstance(model, bytes | Path) else model
        self._threads, self._one = torch.get_num_threads(), Lock()
        self._compiled: OrderedDict[tuple[int, ...], _Compiled] = OrderedDict()

    @property
    def device(self) -> torch.device:
        return CPU

    @property
    def at_once(self) -> int:
        return self._threads

    def __call__(self, batch: Float32[Tensor, "b 3 h w"]) -> Answers:
        passes = max(1, self._threads // torch.get_num_threads())
        with self._one:
            compiled = self._for(tuple(batch.shape), passes)
        return compiled(batch)

    def digest(self) -> str:
        """A hash of the model's constants, which are its weights."""
        digest = hashlib.sha256()
        for node in self.model.get_ordered_ops():
            if node.get_type_name() == "Constant":
                digest.update(node.get_data().tobytes())
        return digest.hexdigest()

    def _for(self, shape: tuple[int, ...], passes: int) -> _Compiled:
        key = (*shape, passes)
        if key not in self._compiled:
            self._compiled[key] = _Compiled(self._compile(shape, passes))
            if len(self._compiled) > KEPT:
                self._compiled.popitem(last=False)
        self._compiled.move_to_end(key)
        return self._compiled[key]

    def _compile(self, shape: tuple[int, ...], passes: int) -> CompiledModel:
        fixed = self.model.clone()
        try:
            fixed.reshape(list(shape))
        except RuntimeError as error:  # a file from elsewhere, whose sizes are fixed
            raise WeightsError(f"the model does not take pictures of the shape {shape}") from error
        options = {
            "PERFORMANCE_HINT": "LATENCY",
            "INFERENCE_PRECISION_HINT": self._rest(),
            "INFERENCE_NUM_THREADS": self._threads,
            "NUM_STREAMS": passes,
        }
        return core().compile_model(fixed, "CPU", options)

    def _rest(self) -> str:
        """What is calculated in that is not in int8; said on purpose, as OpenVINO rounds to bfloat16 by itself."""
        if self.precision is Precision.INT8:
            return "bf16" if gains_from_bfloat16() else "f32"
        return "bf16" if self.precision is Precision.BF16 else "f32"


def read_model(model: bytes | Path) -> Model:
    """Raises as `OpenVinoEngine` does."""
    try:
        return core().read_model(model)
    except RuntimeError as error:  # with a page of C++ after the first line
        name = model.name if isinstance(model, Path) else "the model"
        raise WeightsError(f"OpenVINO cannot read {name}", allowed="what tacit export has written") from error
