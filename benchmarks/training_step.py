"""Images a second of a training step (forward, backward) of small networks: memory format, precision, widths, size.

    python benchmarks/training_step.py            about three minutes on two cores

The tables in docs/decisions/training-speed.md and docs/decisions/nano.md come from here. Every variant is timed several
times and the best is printed, because other work on the machine can only slow a step down.
"""

import time
from collections.abc import Callable
from dataclasses import replace

import torch
from torch import Tensor, nn

from tacit import zoo
from tacit.tasks.detect.anchors import ANCHORS_640

BATCH, STEPS = 16, 5
WIDTHS = ((32, 64, 128, 256), (64, 64, 128, 256), (64, 80, 160, 320), (48, 96, 192, 384))


def gflops(network: nn.Module, size: int) -> float:
    """2 x multiply-adds of the convolutions for one square image, in billions."""
    total = 0

    def count(module: nn.Module, _: tuple[Tensor, ...], output: Tensor) -> None:
        nonlocal total
        assert isinstance(module, nn.Conv2d)
        total += 2 * output.shape[2] * output.shape[3] * module.weight.numel()

    hooks = [m.register_forward_hook(count) for m in network.modules() if isinstance(m, nn.Conv2d)]
    with torch.inference_mode():
        network.eval()(torch.zeros(1, 3, size, size))
    for hook in hooks:
        hook.remove()
    network.train()
    return total / 1e9


def images_per_second(network: nn.Module, size: int, layout: torch.memory_format, half: bool) -> float:
    """The best of a few steps on random pictures."""
    network.to(memory_format=layout)  # type: ignore[call-overload]
    images, best = torch.rand(BATCH, 3, size, size).to(memory_format=layout), float("inf")
    for _ in range(STEPS):
        start = time.perf_counter()
        with torch.autocast("cpu", torch.bfloat16, enabled=half):
            outputs = network(images)
        torch.stack([level.float().square().mean() for level in outputs["detect"]]).sum().backward()
        best = min(best, time.perf_counter() - start)
    return BATCH / best


def row(name: str, measure: Callable[[int], float]) -> None:
    """One line of the table."""
    print(f"{name:<44}" + "".join(f"{measure(size):>10.1f}" for size in (256, 416)), flush=True)


def main() -> None:
    """Both tables."""
    print(f"torch {torch.__version__}, {torch.get_num_threads()} threads, batch {BATCH}; images/s at 256 and 416 px")
    nano = zoo.nano()
    for layout in (torch.contiguous_format, torch.channels_last):
        for half in (False, True):
            name = f"nano, {str(layout).removeprefix('torch.')}, {'bf16' if half else 'fp32'}"
            row(name, lambda size, layout=layout, half=half: images_per_second(nano, size, layout, half))
    for widths in WIDTHS:
        network = zoo.pyramid(80, replace(zoo.NANO, stages=tuple(zip(widths, (1, 2, 2, 1), strict=True))), ANCHORS_640)
        millions = sum(p.numel() for p in network.parameters()) / 1e6
        name = f"widths {widths}: {millions:.2f} M, {gflops(network, 416):.2f} GFLOPs"
        row(name, lambda size, network=network: images_per_second(network, size, torch.channels_last, False))


if __name__ == "__main__":
    main()
