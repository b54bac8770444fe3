"""The machine behind the figures: without it they say nothing."""

from __future__ import annotations

import os
import platform
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import torch

from tacit import __version__
from tacit.processor import has_bfloat16

LIBRARIES = ("torch", "onnxruntime", "openvino", "tensorrt", "opencv-python-headless")


@dataclass(frozen=True, kw_only=True)
class Machine:
    """What calculates, and with what."""

    processor: str
    cores: int
    """That the system shows, hyper-threads counted."""
    threads: int
    """That every engine was given."""
    bfloat16: bool
    """Whether the processor multiplies bfloat16 itself."""
    system: str
    libraries: dict[str, str]
    """Versions of those that are installed."""

    def told(self) -> str:
        """One line."""
        has = "multiplies bfloat16 itself" if self.bfloat16 else "has no bfloat16"
        versions = ", ".join(f"{name} {number}" for name, number in self.libraries.items())
        return f"{self.processor}, {self.cores} cores, {self.threads} threads, {has}; {versions}; {self.system}"


def this_machine() -> Machine:
    """The one that this process runs on."""
    return Machine(
        processor=_processor(Path("/proc/cpuinfo")),
        cores=os.cpu_count() or 1,
        threads=torch.get_num_threads(),
        bfloat16=has_bfloat16(),
        system=f"{platform.system()} {platform.machine()}, Python {platform.python_version()}",
        libraries={"tacit": __version__, **{name: number for name in LIBRARIES if (number := _version(name))}},
    )


def _processor(told: Path) -> str:
    """The model's name; Python knows it on some systems, Linux has it in a file."""
    lines = told.read_text(encoding="utf-8").splitlines() if told.is_file() else []
    names = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(names, "") or platform.processor() or platform.machine()


def _version(library: str) -> str | None:
    try:
        return version(library)
    except PackageNotFoundError:
        return None
