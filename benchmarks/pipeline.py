"""What stands around the network: the time that photographs take from file to answer, against the network's alone.

    python benchmarks/pipeline.py [MODEL] [--count 1000] [--size 416] [--engine torch] [--precision fp32] [--batch N]

MODEL is a weights file or a name of the zoo, whose weights are then random; without it the bundled nano. Photographs
are JPEGs of 640 x 480. Three ways take turns over the same photographs, so that a busy machine is busy for all of them:
the network's passes alone, over batches that are there already; files to answers; files to answers, drawings and JSON.
Ratios are medians of the ratios within a round; `CPU` are the seconds of all threads together.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

import numpy as np
import torch
from PIL import Image

import tacit
from tacit.api import Model
from tacit.data.images import load_image
from tacit.predict.pipeline import batch_for, predict_files
from tacit.predict.writers import JsonLines, Pictures
from tacit.results import Result
from tacit.stages import Stages

SAMPLES = sorted((Path(tacit.__file__).parent / "samples").glob("*.jpg"))
WANTED = 1.15


def model_of(options: argparse.Namespace) -> Model:
    name = options.model
    loaded = tacit.load(name) if name is None or Path(name).exists() else tacit.create(name, 80)
    return loaded.deploy(options.engine, options.precision, size=options.size, tasks=options.tasks)


def photographs(folder: Path, count: int) -> list[Path]:
    """Links to the samples, 640 x 480."""
    for number, sample in enumerate(SAMPLES):
        picture = Image.open(sample).convert("RGB").resize((640, 480), Image.Resampling.LANCZOS)
        picture.save(folder / f"sample-{number}.jpg", quality=90)
    links = [folder / f"{number:05}.jpg" for number in range(count)]
    for number, link in enumerate(links):
        link.symlink_to(folder / f"sample-{number % len(SAMPLES)}.jpg")
    return links


def passes(stages: Stages, paths: list[Path], batch: int) -> Callable[[], None]:
    """The network's alone; what was answered is thrown away."""
    images = [load_image(path) for path in paths[: len(SAMPLES)]] * batch
    batches = [images[start : start + batch] for start in range(len(SAMPLES))]
    ready = [stages.preprocess(some, [stages.plan(image) for image in some]) for some in batches]

    def run() -> None:
        for number in range(len(paths) // batch):
            stages.look(ready[number % len(ready)])

    return run


def answers(stages: Stages, paths: list[Path], batch: int) -> None:
    assert all(isinstance(answer, Result) for answer in predict_files(stages, paths, batch))


def everything(stages: Stages, paths: list[Path], batch: int, folder: Path) -> None:
    with ExitStack() as files:
        writers = [files.enter_context(writer) for writer in (Pictures(folder), JsonLines(folder / "results.jsonl"))]
        for answer in predict_files(stages, paths, batch):
            for writer in writers:
                writer.write(answer)


def seconds(run: Callable[[], None]) -> np.ndarray:
    """On the clock, and of all threads together."""
    before = np.array([time.perf_counter(), time.process_time()])
    run()
    return np.array([time.perf_counter(), time.process_time()]) - before


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", nargs="?")
    parser.add_argument("--count", type=int, default=1000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--size", type=int)
    parser.add_argument("--batch", type=int)
    parser.add_argument("--engine", default="torch")
    parser.add_argument("--precision", default="fp32")
    parser.add_argument("--tasks", nargs="*")
    options = parser.parse_args()
    model = model_of(options)
    stages = model.stages(size=options.size, tasks=options.tasks)
    batch = options.batch or batch_for(stages)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        paths = photographs(folder, max(batch, options.count // options.rounds // batch * batch))
        ways: dict[str, Callable[[], None]] = {
            "network alone": passes(stages, paths, batch),
            "files to answers": lambda: answers(stages, paths, batch),
            "and drawings, JSON": lambda: everything(stages, paths, batch, folder / "out"),
        }
        for run in ways.values():
            run()
        times = [{way: seconds(run) for way, run in ways.items()} for _ in range(options.rounds)]
    print(f"{model}, {options.engine} {options.precision}, {torch.get_num_threads()} threads, batches of {batch}")
    for way in ways:
        clock, cpu = 1000 * np.median([row[way] for row in times], axis=0) / len(paths)
        ratio = statistics.median(row[way][0] / row["network alone"][0] for row in times)
        print(f"  {way:<18} {clock:7.2f} ms a photograph, CPU {cpu:7.2f} ms, {ratio:.3f} x the network alone")
    print(f"  files to answers at most {WANTED} x wanted")


if __name__ == "__main__":
    main()
