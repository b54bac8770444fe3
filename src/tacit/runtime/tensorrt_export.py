"""Networks as TensorRT engines, for one kind of NVIDIA GPU each: built from ONNX, on the machine that will run them."""

from __future__ import annotations

from typing import Any

from tacit.errors import ConfigError, WeightsError
from tacit.runtime.engine import Precision
from tacit.runtime.exportable import INPUT
from tacit.runtime.passport import Passport

MOST_IMAGES, SMALLEST = 16, 2  # of a batch; strides a side


def to_tensorrt(content: bytes, passport: Passport) -> bytes:
    """The ONNX model `content` as TensorRT's serialised engine, which has no room for the passport.

    Batches of 1 to 16, sides from two strides to twice the model's own size, which it is tuned for.
    Raises ConfigError where TensorRT or an NVIDIA GPU is missing, WeightsError where it cannot build the model.
    """
    trt = require_tensorrt()
    builder = trt.Builder(trt.Logger(trt.Logger.ERROR))
    network = builder.create_network(0)
    parser = trt.OnnxParser(network, trt.Logger(trt.Logger.ERROR))
    if not parser.parse(content):
        raise WeightsError(f"TensorRT cannot read the model ({parser.get_error(0)})"[:200])
    settings = builder.create_builder_config()
    if passport.precision is Precision.BF16:
        settings.set_flag(trt.BuilderFlag.BF16)
    side, least = passport.record.input_size, SMALLEST * passport.stride
    profile = builder.create_optimization_profile()
    profile.set_shape(INPUT, (1, 3, least, least), (1, 3, side, side), (MOST_IMAGES, 3, 2 * side, 2 * side))
    settings.add_optimization_profile(profile)
    plan = builder.build_serialized_network(network, settings)
    if plan is None:
        raise WeightsError("TensorRT cannot build the model", fix="see what it says on stderr")
    return bytes(plan)


def require_tensorrt() -> Any:
    """TensorRT. Raises ConfigError where it, or an NVIDIA GPU, is missing."""
    import torch

    if not torch.cuda.is_available():
        raise ConfigError("TensorRT builds for the NVIDIA GPU it runs on, and there is none", fix="--format onnx")
    try:
        import tensorrt
    except ImportError as error:
        raise ConfigError("TensorRT is not installed", fix="pip install 'tacit[tensorrt]'") from error
    return tensorrt
