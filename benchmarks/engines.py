"""How fast each engine is, end to end from a decoded photograph: letterbox, network, decode, suppression.

    python benchmarks/engines.py [MODEL ...] [--size 640] [--rounds 12] [--int8 FILE]

Engines take turns, so that a busy machine is busy for all of them; each figure is the median over the rounds, and
ratios are medians of the ratios within a round. "official" stands for the code that the models were published with,
in eager mode: 1.1 times our folded network in float32, pictures contiguous, as it was measured to be.

Models of the zoo have random weights whose batch norms have seen the photograph, so that no activation dies or
explodes, and find as little as a network does on most photographs.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable
from pathlib import Path

import torch
from jaxtyping import Float32
from torch import Tensor, nn

from tacit.api import Model, create, load
from tacit.errors import ConfigError
from tacit.processor import has_bfloat16
from tacit.runtime.engine import Answers, Precision
from tacit.runtime.openvino_engine import OpenVinoEngine
from tacit.runtime.probe import photographs
from tacit.runtime.torch_engine import TorchEngine
from tacit.runtime.ways import WAYS
from tacit.stages import Stages

OFFICIAL = 1.1  # times the folded network in eager mode
WANTED = {"predict": 2.0, "openvino bf16": 2.6, "openvino int8": 3.4}
"""Times as fast as official code, for yolor-csp at 640 pixels on a CPU where bfloat16 doubles the peak."""


class Eager(TorchEngine):
    """The folded network with contiguous pictures, as a plain program has them."""

    def __call__(self, batch: Float32[Tensor, "b 3 h w"]) -> Answers:
        return super().__call__(batch.contiguous())


def model_of(name: str, size: int) -> Model:
    """The bundled weights, or random ones with sane activations."""
    if name == "nano":
        return load()
    torch.manual_seed(0)
    model = create(name, 80)
    stages = Stages(model.network, model.names, size)
    batch = stages.preprocess([photographs()[0]], [stages.plan(photographs()[0])])
    for part in model.network.modules():
        if isinstance(part, nn.BatchNorm2d):
            part.momentum = 1.0
    with torch.no_grad():
        model.network.train()(batch)
    model.network.eval()
    return model


def contestants(model: Model, size: int, int8: Path | None) -> dict[str, Callable[[], object]]:
    """What to run, by name."""
    folded, photo, stages = model.network.fold(), photographs()[0], dict[str, Stages]()
    stages["eager"] = Stages(folded, model.names, size, engine=Eager(folded))
    stages["predict"] = model.stages(size=size, quick=True)
    for way in WAYS:
        if way.installed() and (way.precision is not Precision.BF16 or has_bfloat16()):
            engine = way.build(folded, model.record)
            stages[str(way)] = Stages(folded, model.names, size, engine=engine)
    if int8 is not None:
        stages["openvino int8"] = Stages(folded, model.names, size, engine=OpenVinoEngine(int8, Precision.INT8))
    return {name: (lambda one=one: one([photo])) for name, one in stages.items()}


def seconds(run: Callable[[], object]) -> float:
    start = time.perf_counter()
    run()
    return time.perf_counter() - start


def compare(name: str, size: int, rounds: int, int8: Path | None) -> None:
    runs = contestants(model_of(name, size), size, int8)
    for run in runs.values():
        seconds(run)
    times = [{label: seconds(run) for label, run in runs.items()} for _ in range(rounds)]
    print(f"{name} at {size} px, {torch.get_num_threads()} threads, {rounds} rounds")
    print(f"  {'':<20} {'ms':>8} {'x eager':>8} {'x official':>10}  wanted")
    for label in runs:
        ratio = statistics.median(row["eager"] / row[label] for row in times)
        milliseconds = 1000 * statistics.median(row[label] for row in times)
        wanted = f"{WANTED[label]}" if label in WANTED and name == "yolor-csp" else ""
        print(f"  {label:<20} {milliseconds:8.1f} {ratio:8.2f} {OFFICIAL * ratio:10.2f}  {wanted}", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("models", nargs="*", default=["yolor-csp"])
    parser.add_argument("--size", type=int, default=640)
    parser.add_argument("--rounds", type=int, default=12)
    parser.add_argument("--int8", type=Path, help="an int8 model of tacit export, as ONNX or OpenVINO's IR")
    options = parser.parse_args()
    if options.int8 is not None and len(options.models) > 1:
        raise ConfigError("--int8 is of one model", fix="name that one alone")
    for name in options.models:
        compare(name, options.size, options.rounds, options.int8)


if __name__ == "__main__":
    main()
