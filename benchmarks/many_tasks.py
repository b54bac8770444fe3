"""What more answers cost: one network of five tasks against detection alone, and against five networks of one task.

    python benchmarks/many_tasks.py [MODEL] [--size 416] [--rounds 40]

Folded, channels last, float32, one photograph. The contestants take turns, so that a busy machine is busy for all of
them; each figure is the median over the rounds, and ratios are medians of the ratios within a round. A network of one
task that speaks of objects (masks, poses, vectors) has detection in it too: it has to find them.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable

import torch

from tacit.assemble import with_tasks
from tacit.network import Network
from tacit.tasks.pose.body import SIGMAS
from tacit.zoo import create

CLASSES = [f"class {number}" for number in range(80)]
PLANS = {
    "detect": {"classes": CLASSES},
    "segment": {"prototypes": 32},
    "pose": {"names": list(SIGMAS), "skeleton": [], "pairs": [], "classes": ["class 0"]},
    "tags": {"names": CLASSES, "single": False},
    "embed": {"dimension": 64, "identities": True},
}
MOST, HALF = 1.35, 0.5  # what the five together may take of detection alone, and of five networks


def network(model: str, *tasks: str) -> Network:
    """Folded, with these tasks and those that they need."""
    whole = with_tasks(create(model, len(CLASSES)), PLANS)
    return whole.only(tasks).fold().to(memory_format=torch.channels_last)


@torch.inference_mode()
def seconds(run: Callable[[], object]) -> float:
    start = time.perf_counter()
    run()
    return time.perf_counter() - start


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", nargs="?", default="nano")
    parser.add_argument("--size", type=int, default=416)
    parser.add_argument("--rounds", type=int, default=40)
    options = parser.parse_args()
    images = torch.rand(1, 3, options.size, options.size).to(memory_format=torch.channels_last)
    together = network(options.model, *PLANS)
    single = {task: network(options.model, task) for task in PLANS}

    def answer(one: Network) -> Callable[[], object]:
        return lambda: one.decode(one(images))

    def forward(one: Network) -> Callable[[], object]:
        return lambda: one(images)

    for title, way in (("forward", forward), ("forward and decode", answer)):
        rows = {"together": way(together), **{task: way(one) for task, one in single.items()}}
        for run in rows.values():
            seconds(run)
            seconds(run)
        times = [{name: seconds(run) for name, run in rows.items()} for _ in range(options.rounds)]
        of_detect = statistics.median(row["together"] / row["detect"] for row in times)
        of_five = statistics.median(row["together"] / sum(row[task] for task in single) for row in times)
        print(f"{title}, {options.model} at {options.size} px, {torch.get_num_threads()} threads")
        for name in rows:
            print(f"  {name:<10} {1000 * statistics.median(row[name] for row in times):7.2f} ms")
        print(f"  five tasks together take {of_detect:.3f} x detection alone (at most {MOST} wanted)")
        print(f"  and {of_five:.3f} x five networks of one task (under {HALF} wanted)")


if __name__ == "__main__":
    main()
