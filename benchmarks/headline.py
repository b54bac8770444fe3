"""The paper's headline: yolor-d6 at 1280 pixels against yolov4-p7 at 1536, at the same AP on COCO test-dev.

    python benchmarks/headline.py [--rounds 3] [--engine torch] [--precision fp32]

The paper (YOLOR, Tables A2 and A3) gives 30 photographs a second against 16 on a V100, end to end with batch 1: 1.88
times as many. Here both have random weights, folded, in one engine, and take turns on the same photograph; the ratio is
the median of the ratios within a round, of the pass with decoding. By the work alone (934 against 1637 GFLOPs) it would
be 1.75. Both together need about 8 GB of memory.
"""

from __future__ import annotations

import argparse
import time

from tacit.api import create
from tacit.bench.contest import FORWARD, Ours, turns
from tacit.bench.machine import this_machine
from tacit.bench.random_weights import settle
from tacit.bench.report import Spread, forward, times_as_fast
from tacit.runtime.probe import photographs
from tacit.stages import Stages

PAPER = 30 / 16
ENTRANTS = {"yolor-d6": 1280, "yolov4-p7": 1536}


def contestant(name: str, engine: str, precision: str) -> Ours:
    """The model at its published size, warmed up."""
    model = create(name, 80)
    settle(model.network, photographs()[:1])
    deployed = model.deploy(engine, precision)
    one = Ours(name, Stages(deployed.network, deployed.names, ENTRANTS[name], engine=deployed.engine))
    one.seconds(photographs()[0])
    return one


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--engine", default="torch")
    parser.add_argument("--precision", default="fp32")
    options = parser.parse_args()
    start = time.perf_counter()
    both = [contestant(name, options.engine, options.precision) for name in ENTRANTS]
    print(this_machine().told(), flush=True)
    taken = []
    for number in range(options.rounds):
        taken += turns(both, photographs(), [number])
        told = ", ".join(f"{one.label} {taken[-1][one.label][FORWARD]:.2f} s" for one in both)
        print(f"  round {number + 1}: {told}", flush=True)
    print(f"{options.engine} {options.precision}, {options.rounds} rounds, {time.perf_counter() - start:.0f} s in all")
    for one in both:
        seconds = Spread.of(each[one.label][FORWARD] for each in taken)
        print(f"  {one.label:<10} at {ENTRANTS[one.label]} px: {seconds.median:6.2f} s a pass")
    ratio = times_as_fast(taken, "yolor-d6", "yolov4-p7", forward)
    print(f"  yolor-d6 is {ratio.median:.2f} x as fast ({ratio.low:.2f} to {ratio.high:.2f}); the paper: {PAPER:.2f} x")


if __name__ == "__main__":
    main()
