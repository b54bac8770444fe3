"""Another ONNX model, whoever made it: it is asked for its pass alone, since nobody knows what its answers mean."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Real

from tacit.bench.contest import FORWARD, PREPROCESS, Contestant, Seconds
from tacit.errors import WeightsError
from tacit.geometry.letterbox import place, plan_letterbox
from tacit.runtime.onnx_engine import session_of
from tacit.stages import Image

TYPES = {f"tensor({name})": np.dtype(kind) for name, kind in (("float", "f4"), ("float16", "f2"), ("uint8", "u1"))}
TAKEN = "one input of shape (1 or N, 3, height, width) in float32, float16 or uint8"


class Stranger(Contestant):
    """An ONNX model in onnxruntime, with as many threads as torch has.

    `size` is the side of its input where it does not say one itself, `self.size` the (height, width) that it gets.
    Raises WeightsError for a file that onnxruntime cannot load, or a model that does not take one photograph.
    """

    def __init__(self, path: Path, size: int) -> None:
        self.label, self.path = path.name, path
        self._session = _opened(path)
        self._input, self._type, self.size = _input_of(self._session, path, size)
        self._try()

    def seconds(self, image: Image) -> Seconds:
        start = time.perf_counter()
        batch = self._batch(image)
        middle = time.perf_counter()
        self._session.run(None, {self._input: batch})
        return {PREPROCESS: middle - start, FORWARD: time.perf_counter() - middle}

    def told(self) -> str:
        """The size of its input, for people."""
        return f"{self.size[1]} x {self.size[0]} pixels"

    def _try(self) -> None:
        from onnxruntime.capi import onnxruntime_pybind11_state as state

        try:
            self.seconds(np.zeros((*self.size, 3), np.uint8))
        except (state.Fail, state.InvalidArgument, state.RuntimeException, state.NotImplemented) as error:
            reason = str(error).partition("\n")[0][:200]
            raise WeightsError(f"{self.path} fails on {self.told()} ({reason})", fix="another --size") from error

    def _batch(self, image: Image) -> Real[np.ndarray, "1 3 h w"]:
        plan = plan_letterbox((image.shape[0], image.shape[1]), self.size)
        batch = place(image, plan).transpose(2, 0, 1)[None]  # h,w,3 -> 1,3,h,w
        if self._type.kind == "f":
            batch = batch.astype(self._type) / self._type.type(255)
        return np.ascontiguousarray(batch)


def _opened(path: Path) -> Any:
    if not path.is_file():
        raise WeightsError(f"there is no model at {path}", fix="check the path")
    try:
        return session_of(path.read_bytes())
    except WeightsError as error:
        raise WeightsError(f"{path}: {error.wrong}", allowed=f"ONNX models with {TAKEN}") from error


def _input_of(session: Any, path: Path, size: int) -> tuple[str, np.dtype[Any], tuple[int, int]]:
    """Name, type, and (height, width) of the input. Raises WeightsError where it is not one photograph."""
    found = session.get_inputs()
    shape = found[0].shape if len(found) == 1 else []
    if len(shape) != 4 or shape[1] != 3 or found[0].type not in TYPES or (_fixed(shape[0]) and shape[0] != 1):
        told = "; ".join(f"{one.name[:40]} {one.shape} {one.type}" for one in found[:4])
        raise WeightsError(f"{path} does not take one photograph: its inputs are {told or 'none'}"[:300], allowed=TAKEN)
    high, wide = (side if _fixed(side) else size for side in shape[2:])
    return found[0].name, TYPES[found[0].type], (high, wide)


def _fixed(side: int | str | None) -> bool:
    """Those that may change have a name, or nothing."""
    return isinstance(side, int)
