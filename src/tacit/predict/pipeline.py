"""Many files through the stages: threads read ahead while the network runs, and no more than two batches are held."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from itertools import islice
from pathlib import Path

import numpy as np
from jaxtyping import UInt8

from tacit.data.images import load_image
from tacit.data.sample import Fault
from tacit.errors import ImageError
from tacit.results import Result
from tacit.stages import Stages

READERS = 2


def predict_files(stages: Stages, paths: Iterable[Path], batch: int = 8) -> Iterator[Result | Fault]:
    """For every path, in order, its `Result`, or the `Fault` that says why the file could not be read."""
    waiting = iter(paths)
    readers = ThreadPoolExecutor(READERS)
    try:
        ahead = _read_next(readers, waiting, batch)
        while ahead:
            group = [(path, reading.result()) for path, reading in ahead]
            ahead = _read_next(readers, waiting, batch)  # these are read while the network answers the group
            yield from _answer(stages, group)
    finally:
        readers.shutdown(cancel_futures=True)


def _read_next(
    readers: ThreadPoolExecutor, waiting: Iterator[Path], batch: int
) -> list[tuple[Path, Future[UInt8[np.ndarray, "h w 3"] | Fault]]]:
    return [(path, readers.submit(_read, path)) for path in islice(waiting, batch)]


def _read(path: Path) -> UInt8[np.ndarray, "h w 3"] | Fault:
    try:
        return load_image(path)
    except ImageError as error:
        return Fault.of(path, error)


def _answer(stages: Stages, group: list[tuple[Path, np.ndarray | Fault]]) -> Iterator[Result | Fault]:
    results = iter(stages([read for _, read in group if not isinstance(read, Fault)]))
    for path, read in group:
        yield read if isinstance(read, Fault) else replace(next(results), path=path)
