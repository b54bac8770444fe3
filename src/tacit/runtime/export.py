"""One file for one model: which format is written how."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum
from pathlib import Path

import numpy as np
from jaxtyping import Float32

from tacit.atomic import replacing
from tacit.errors import ConfigError
from tacit.network import Network
from tacit.runtime.engine import Precision
from tacit.runtime.onnx_export import described, passport_in, to_onnx
from tacit.runtime.openvino_core import core
from tacit.runtime.openvino_export import marked, save_openvino, to_openvino
from tacit.runtime.passport import Passport
from tacit.runtime.quantise import quantised, require_nncf
from tacit.runtime.suppression_nodes import with_suppression
from tacit.runtime.tensorrt_export import require_tensorrt, to_tensorrt
from tacit.runtime.torch_export import save_torch
from tacit.thresholds import Thresholds
from tacit.weights.record import Record


class Format(Enum):
    """What an exported model can be."""

    ONNX = "onnx"
    OPENVINO = "openvino"
    TENSORRT = "tensorrt"
    TORCH = "torch"

    @property
    def suffix(self) -> str:
        """How such a file's name ends."""
        return SUFFIXES[self]

    def files(self, path: Path) -> tuple[Path, ...]:
        """All that is written where `path` is asked for."""
        return (path, *(path.with_suffix(suffix) for suffix in BESIDE.get(self, ())))


SUFFIXES = {Format.ONNX: ".onnx", Format.OPENVINO: ".xml", Format.TENSORRT: ".engine", Format.TORCH: ".pt2"}
BESIDE = {Format.OPENVINO: (".bin",), Format.TENSORRT: (".json",)}  # the weights; the passport


@dataclass(frozen=True, kw_only=True)
class Wish:
    """How to export. Raises ConfigError for what does not go together."""

    format: Format = Format.ONNX
    precision: Precision = Precision.FP32
    suppression: Thresholds | None = None
    """Suppress boxes inside of the graph, with these thresholds."""

    def __post_init__(self) -> None:
        if self.format is Format.ONNX and self.precision is Precision.BF16:
            raise ConfigError(
                "onnxruntime does not calculate convolutions in bf16 on a CPU",
                allowed="fp32 for ONNX",
                fix="predict with --engine openvino --precision bf16, which an ONNX file in fp32 is right for",
            )
        if self.precision is Precision.INT8 and self.format is not Format.OPENVINO:
            raise ConfigError(f"int8 is not written as {self.format.value}", fix="add --format openvino")
        if self.format is Format.TORCH and self.suppression is not None:
            raise ConfigError(
                "suppression goes into the graphs of onnx, openvino and tensorrt alone", fix="leave out --nms"
            )


def export(
    network: Network,
    record: Record,
    path: Path,
    wish: Wish,
    photographs: Iterable[Float32[np.ndarray, "b 3 h w"]] = (),
) -> Passport:
    """Write the network to `path`, and to nothing if that fails; `Format.files` says what all.

    int8 is calibrated on `photographs`, prepared as the network's input. Raises ConfigError where an extra is missing,
    OSError.
    """
    if wish.format is Format.TORCH:
        return save_torch(network, record, path, wish.precision)
    if wish.format is Format.TENSORRT:
        require_tensorrt()  # known before a minute of exporting
    if wish.format is Format.OPENVINO:
        core()  # likewise
    if wish.precision is Precision.INT8:
        require_nncf()
    model = to_onnx(network, record)
    if wish.suppression is not None:
        model = with_suppression(model, wish.suppression)
    passport = passport_in(model).calculating(wish.precision)
    content = described(model, passport).SerializeToString()
    if wish.format is Format.OPENVINO:
        graph = to_openvino(content, passport)
        if wish.precision is Precision.INT8:
            graph = marked(quantised(graph, photographs), passport)
        save_openvino(graph, path)
        return passport
    if wish.format is Format.TENSORRT:
        content = to_tensorrt(content, passport)
        with replacing(path.with_suffix(".json")) as file:
            file.write(json.dumps(passport.to_strings()).encode())
    with replacing(path) as file:
        file.write(content)
    return passport
