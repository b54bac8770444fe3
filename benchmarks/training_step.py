"""Images a second of training steps: memory format and precision; `--widths` compares networks like nano.

    python benchmarks/training_step.py nano --size 416 --batch 16                     half a minute on two cores
    python benchmarks/training_step.py yolor-csp --size 320 --batch 4 --rounds 3      two minutes

A step is forward, backward, SGD and the moving average of the weights, on random pictures. The contestants take turns,
because a busy machine should be busy for all of them; figures are medians over the rounds, ratios medians of the
ratios within a round, against float32 in contiguous memory. `--profile` shows where the time of each goes. The tables
in docs/decisions/training-speed.md and docs/decisions/nano.md come from here.
"""

from __future__ import annotations

import argparse
import copy
import statistics
import time
from collections.abc import Callable
from dataclasses import replace

import torch
from torch.profiler import ProfilerActivity, profile

from tacit import zoo
from tacit.describe import describe
from tacit.network import Network
from tacit.processor import gains_from_bfloat16, has_bfloat16
from tacit.tasks.detect.anchors import ANCHORS_640
from tacit.training.optimiser import MovingAverage
from tacit.training.recipe import Optimiser

WIDTHS = ((32, 64, 128, 256), (64, 64, 128, 256), (64, 80, 160, 320), (48, 96, 192, 384))
Step = Callable[[], None]


def stepping(network: Network, shape: tuple[int, ...], layout: torch.memory_format, half: bool) -> Step:
    """A training step of a copy of the network on pictures of that shape."""
    learner = copy.deepcopy(network).train().to(memory_format=layout)  # type: ignore[call-overload]
    images, average = torch.rand(shape).to(memory_format=layout), MovingAverage(learner, Optimiser())
    optimiser = torch.optim.SGD(learner.parameters(), lr=1e-4, momentum=0.9, nesterov=True)

    def step() -> None:
        with torch.autocast("cpu", torch.bfloat16, enabled=half):
            outputs = learner(images)
        torch.stack([level.float().square().mean() for level in outputs["detect"]]).sum().backward()
        optimiser.step()
        optimiser.zero_grad()
        average.update(learner)

    return step


def variants(network: Network, shape: tuple[int, ...]) -> dict[str, Step]:
    """By name; the first is what the others are compared with."""
    return {
        f"{name}, {'bf16' if half else 'fp32'}": stepping(network, shape, layout, half)
        for name, layout in (("contiguous", torch.contiguous_format), ("channels last", torch.channels_last))
        for half in (False, True)
        if name != "contiguous" or not half
    }


def widths(shape: tuple[int, ...]) -> dict[str, Step]:
    """Networks like nano, in float32."""
    steps: dict[str, Step] = {}
    for one in WIDTHS:
        network = zoo.pyramid(80, replace(zoo.NANO, stages=tuple(zip(one, (1, 2, 2, 1), strict=True))), ANCHORS_640)
        steps[str(one)] = stepping(network, shape, torch.channels_last, False)
    return steps


def race(steps: dict[str, Step], rounds: int) -> dict[str, list[float]]:
    """Seconds of each, in turns; the first round, which prepares the kernels, does not count."""
    seconds: dict[str, list[float]] = {name: [] for name in steps}
    for _ in range(rounds + 1):
        for name, step in steps.items():
            start = time.perf_counter()
            step()
            seconds[name].append(time.perf_counter() - start)
    return {name: times[1:] for name, times in seconds.items()}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", nargs="?", default="nano")
    parser.add_argument("--size", type=int, default=416)
    parser.add_argument("--batch", type=int, default=16)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--widths", action="store_true")
    parser.add_argument("--profile", action="store_true")
    options = parser.parse_args()
    shape = (options.batch, 3, options.size, options.size)
    network = zoo.create(options.model, 80)
    print(
        f"{options.model}, {describe(network, options.size).gflops:.1f} GFLOPs at {options.size} px, "
        f"batch {options.batch}; torch {torch.__version__}, {torch.get_num_threads()} threads, "
        f"bf16 {'native' if has_bfloat16() else 'imitated'}, {'fast' if gains_from_bfloat16() else 'slow'}"
    )
    steps = widths(shape) if options.widths else variants(network, shape)
    seconds = race(steps, options.rounds)
    first = next(iter(seconds.values()))
    for name, times in seconds.items():
        ratio = statistics.median(a / b for a, b in zip(first, times, strict=True))
        print(f"{name:<24}{options.batch / statistics.median(times):>8.2f} images/s{ratio:>8.2f} x", flush=True)
    for name, step in steps.items() if options.profile else ():
        with profile(activities=[ProfilerActivity.CPU]) as seen:
            step()
        print(name, seen.key_averages().table(sort_by="self_cpu_time_total", row_limit=14), sep="\n")


if __name__ == "__main__":
    main()
