"""How much memory a network takes with its engine, measured in a process that has nothing else."""

from __future__ import annotations

import ctypes
import gc
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from multiprocessing import get_context
from pathlib import Path

import torch

from tacit.bench.contest import Ours
from tacit.bench.workshop import from_file
from tacit.predict.folded import FoldedCopy
from tacit.runtime.probe import photographs
from tacit.runtime.ways import Way
from tacit.runtime.wish import EngineKind
from tacit.stages import Stages
from tacit.weights.files import load

PROCESS = Path("/proc/self")


def memory_of(way: Way, weights: Path, file: Path, size: int) -> int | None:
    """Bytes that a pass over one photograph needs at its peak, weights, engine and its library with it.

    `file` is the exported model; torch takes the `weights`, of which the others have the record alone. None where the
    system does not tell (it has to be Linux), or the memory did not suffice.
    """
    if not (PROCESS / "clear_refs").exists():
        return None
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        try:
            return pool.submit(_measured, way, weights, file, size, torch.get_num_threads()).result()
        except BrokenProcessPool:
            return None


def _measured(way: Way, weights: Path, file: Path, size: int, threads: int) -> int:
    torch.set_num_threads(threads)
    image, before = photographs()[0], _resident("VmRSS")
    contestant = _contestant(way, weights, file, size)
    contestant.seconds(image)
    _give_back()
    (PROCESS / "clear_refs").write_text("5")  # the peak begins anew
    contestant.seconds(image)
    return _resident("VmHWM") - before


def _contestant(way: Way, weights: Path, file: Path, size: int) -> Ours:
    loaded = load(weights)
    if way.kind is EngineKind.TORCH:
        network = FoldedCopy(loaded.network)()
        engine = way.build(network, loaded.record)
    else:
        network = loaded.network.to("meta")  # says what the answers mean
        engine = from_file(way, file)
    return Ours(str(way), Stages(network, loaded.record.classes, size, engine=engine))


def _resident(field: str) -> int:
    """Bytes, now (VmRSS) or at their peak (VmHWM)."""
    lines = (PROCESS / "status").read_text().splitlines()
    return 1024 * next(int(line.split()[1]) for line in lines if line.startswith(f"{field}:"))


def _give_back() -> None:
    """What was only needed for building returns to the system, where the C library can do that."""
    gc.collect()
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim is not None:
        trim(0)
