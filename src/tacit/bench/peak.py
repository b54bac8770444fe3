"""How fast this machine's convolutions can be: the yardstick that a network's pass is held to.

One convolution of a kind that processors like (3 x 3, as many channels out as in), in several sizes, several times:
the best counts. It comes from the very libraries that run the networks, so no network can be much better.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from importlib.util import find_spec

import numpy as np
import torch
from torch.nn import functional

from tacit.processor import has_bfloat16
from tacit.runtime.engine import Precision

SHAPES = ((64, 160), (128, 80), (256, 40), (512, 20))
"""Channels and side of the map: what a network of 640 pixels has from stride 4 to stride 32; 1.9 GFLOP each."""
CHAIN = 4
"""OpenVINO runs so many in a row, as what goes in and out is float32 whatever the layers are in."""
REPEATS = 6
TYPES = {Precision.FP32: torch.float32, Precision.BF16: torch.bfloat16}
HINTS = {Precision.FP32: "f32", Precision.BF16: "bf16", Precision.INT8: "f32"}


def peaks(shapes: tuple[tuple[int, int], ...] = SHAPES) -> dict[Precision, float]:
    """GFLOP/s by precision, two operations a multiplication with its addition; without those that nothing here has."""
    found: dict[Precision, float] = {}
    for precision in Precision:
        rates = [_rate(run, flops) for shape in shapes for run, flops in _ways(precision, *shape)]
        if rates:
            found[precision] = max(rates)
    return found


def _ways(precision: Precision, channels: int, side: int) -> Iterator[tuple[Callable[[], object], float]]:
    """What to run, and how many operations it is."""
    flops = 2.0 * 9 * channels**2 * side**2
    if precision is Precision.BF16 and not has_bfloat16():
        return
    if precision in TYPES:
        yield _in_torch(TYPES[precision], channels, side), flops
    if find_spec("openvino"):
        yield _in_openvino(precision, channels, side), CHAIN * flops


def _rate(run: Callable[[], object], flops: float) -> float:
    run()
    times = []
    for _ in range(REPEATS):
        start = time.perf_counter()
        run()
        times.append(time.perf_counter() - start)
    return flops / min(times) / 1e9


def _in_torch(kind: torch.dtype, channels: int, side: int) -> Callable[[], object]:
    images = torch.rand(1, channels, side, side).to(kind, memory_format=torch.channels_last)
    weights = torch.randn(channels, channels, 3, 3).to(kind, memory_format=torch.channels_last)

    @torch.inference_mode()
    def run() -> object:
        return functional.conv2d(images, weights, padding=1)

    return run


def _in_openvino(precision: Precision, channels: int, side: int) -> Callable[[], object]:
    import openvino
    from openvino import opset13 as ops

    from tacit.runtime.openvino_core import core

    random = np.random.default_rng(0)
    images = ops.parameter([1, channels, side, side], np.float32)
    layer = images
    for _ in range(CHAIN):
        weights = ops.constant(random.standard_normal((channels, channels, 3, 3)).astype(np.float32))
        if precision is Precision.INT8:
            layer = ops.fake_quantize(layer, *_ends(0, 2.55), *_ends(0, 2.55), 256)
            weights = ops.fake_quantize(weights, *_ends(-1.27, 1.27), *_ends(-1.27, 1.27), 255)
        layer = ops.relu(ops.convolution(layer, weights, [1, 1], [1, 1], [1, 1], [1, 1]))
    options = {"INFERENCE_PRECISION_HINT": HINTS[precision], "INFERENCE_NUM_THREADS": torch.get_num_threads()}
    model = openvino.Model([layer], [images], "peak")
    compiled = core().compile_model(model, "CPU", {"PERFORMANCE_HINT": "LATENCY", **options})
    content = random.random((1, channels, side, side), np.float32)
    return lambda: compiled({0: content}, share_inputs=True)


def _ends(low: float, high: float) -> tuple[np.ndarray, np.ndarray]:
    return np.array(low, np.float32), np.array(high, np.float32)
