"""Memory while many photographs are answered on a cluster of this machine: it has to stay flat.

    python benchmarks/scale.py [--photographs 10000] [--size 128] [--weights FILE] [--kill]

The sample photographs are linked under as many names as are asked for. Every few shards a line tells how much memory
the driver and each worker have of their own (what is shared between processes is left out), and at the end how the
last quarter of the run compares with the second, when all have warmed up. `--kill` ends one worker by SIGKILL after a
quarter of the shards. Every photograph has to have one row, either way.
"""

from __future__ import annotations

import argparse
import logging
import statistics
import tempfile
import time
import warnings
from collections import Counter
from contextlib import suppress
from pathlib import Path

import psutil
from pyarrow import parquet

import tacit
from tacit.cli.cluster import Order
from tacit.scale.cluster import connected
from tacit.scale.plan import PlanFolder
from tacit.scale.run import Crew, answer_missing
from tacit.scale.sources import photographs

SAMPLES = sorted((Path(tacit.__file__).parent / "samples").glob("*.jpg"))
FLAT = 1.05  # the last quarter over the second


def linked(folder: Path, count: int) -> Path:
    """A folder in which the samples have `count` names."""
    folder.mkdir()
    for number in range(count):
        (folder / f"{number:07d}.jpg").symlink_to(SAMPLES[number % len(SAMPLES)])
    return folder


def own(process: psutil.Process) -> float:
    """MiB that nobody shares."""
    memory = process.memory_info()
    return float(memory.rss - memory.shared) / 2**20


def workers() -> list[psutil.Process]:
    found = list[psutil.Process]()
    for child in psutil.Process().children(recursive=True):
        with suppress(psutil.Error):  # it is no more
            found += [child] * ("MapWorker" in " ".join(child.cmdline()))
    return found


def memory() -> list[float]:
    """Of the driver, and of all workers together."""
    return [own(psutil.Process()), sum(map(own, workers()))]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--photographs", type=int, default=10_000)
    parser.add_argument("--size", type=int, default=128)
    parser.add_argument("--shard", type=int, default=64)
    parser.add_argument("--weights", type=Path)
    parser.add_argument("--kill", action="store_true")
    options = parser.parse_args()
    warnings.simplefilter("ignore")
    logging.getLogger("ray").setLevel(logging.ERROR)
    with tempfile.TemporaryDirectory() as name:
        source = linked(Path(name) / "photographs", options.photographs)
        order, folder = (
            Order.of(options.weights, size=options.size, tasks=("detect",)),
            PlanFolder(Path(name) / "answers"),
        )
        plan = folder.begin(photographs([str(source)]), options.shard, order.facts())
        start, done, seen = time.perf_counter(), 0, list[list[float]]()
        with connected() as cpus:
            for shard in answer_missing(folder, plan, order, Crew(workers=cpus)):
                done += shard.photographs
                seen.append(memory())
                if options.kill and len(seen) == plan.shards // 4:
                    workers()[0].kill()
                    print("one worker is killed")
                if len(seen) % max(1, plan.shards // 20) == 0:
                    seconds = time.perf_counter() - start
                    print(f"{seconds:6.1f} s {done:7d} photographs   driver {seen[-1][0]:5.0f} MiB, "
                          f"{cpus} workers {seen[-1][1]:5.0f} MiB", flush=True)  # fmt: skip
        seconds = time.perf_counter() - start
        print(f"{done / seconds:.1f} photographs a second, the start of the cluster included")
        rows = Counter(parquet.read_table(folder.results, columns=["path"])["path"].to_pylist())
        print(f"{len(rows)} photographs are answered, each {max(rows.values())} time")
        assert rows == Counter(str(path) for path in source.iterdir())
    if options.kill:
        return
    quarter = len(seen) // 4
    for index, who in enumerate(("driver", "workers")):
        second = statistics.median(row[index] for row in seen[quarter : 2 * quarter])
        ratio = statistics.median(row[index] for row in seen[-quarter:]) / second
        print(f"{who}: last quarter {ratio:.3f} x the second (at most {FLAT} wanted)")


if __name__ == "__main__":
    main()
