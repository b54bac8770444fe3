"""The photographs of a training set, scaled to the training size, read once and kept in memory.

A photograph of 4:3 takes 2.25 x side x side bytes: 6,700 of them at 416 px take 2.6 GB. What does not fit in half of
the machine's memory is read again each time, with the same pixels. Reading comes before worker processes fork, so that
all of them share one copy; each would need one of its own otherwise.

All are decoded at the start, kept or not: every damaged one is known before the first step, and an error comes from
the main process, in plain words. Without a cache this costs the decoding of one epoch. JPEGs of twice the
training size and more are decoded at a fraction of theirs.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np
from jaxtyping import Float32, Int64, UInt8

from tacit.data import follow
from tacit.data.images import load_reduced
from tacit.data.sample import Fault, Labels, Sample, Scene
from tacit.errors import DataError, ImageError
from tacit.geometry.letterbox import plan_letterbox

UNKNOWN_MEMORY = 8 << 30  # taken for a machine that does not tell

Image = UInt8[np.ndarray, "h w 3"]


class Found(NamedTuple):
    """A photograph as training takes it, where it came from, and what was stepped over on the way to it."""

    scene: Scene
    path: Path
    faults: tuple[Fault, ...]


class Photographs:
    """Photographs by index, with a long side of `side` pixels.

    `keep` is how many bytes of them stay in memory. One that cannot be read gives way to the next that can, always the
    same; `strict` raises its ImageError instead. Raises DataError when there is none at all that can be read.
    """

    def __init__(self, samples: Sequence[Sample], side: int, *, keep: int = 0, strict: bool = False) -> None:
        if not samples:
            raise DataError("there is no photograph to train on", fix="check the path and the split")
        self.samples, self.side, self.strict = tuple(samples), side, strict
        self._faults: dict[int, Fault] = {}
        self._kept: list[Image | None] = [None] * len(self.samples)
        self._labels = [_to_learn(sample) for sample in self.samples]
        self._read_all(self._fitting(keep))
        if len(self._faults) == len(self):
            raise _none_readable(self._faults[0])

    def __len__(self) -> int:
        return len(self.samples)

    @property
    def faults(self) -> tuple[Fault, ...]:
        """The photographs that cannot be read; complete from the start, unless files vanish later."""
        return tuple(self._faults[index] for index in sorted(self._faults))

    def forget(self) -> None:
        """Give the memory back; from now on each photograph is read when it is asked for."""
        self._kept = [None] * len(self)

    def find(self, index: int, size: int) -> Found:
        """Photograph `index`, or the first after it that can be read, with its long side scaled to `size`.

        Crowd boxes are left out: they are not trained on. Raises DataError when no file can be read any more.
        """
        faults: list[Fault] = []
        for step in range(len(self)):
            found = (index + step) % len(self)
            image = self._image(found)
            if image is not None:
                return Found(_fit(image, self._labels[found], size), self.samples[found].path, tuple(faults))
            faults.append(self._faults[found])
        raise _none_readable(faults[0])

    def _image(self, index: int) -> Image | None:
        kept = self._kept[index]
        if kept is not None:
            return kept
        return None if index in self._faults else self._read(index)

    def _read(self, index: int) -> Image | None:
        """From disk, at the long side that training asks for most; None, and a fault, if that fails."""
        path = self.samples[index].path
        try:
            picture = load_reduced(path, self.side)
        except ImageError as error:
            if self.strict:
                raise
            self._faults[index] = Fault.of(path, error)
            return None
        inner = plan_letterbox((picture.height, picture.width), self.side).inner
        shrinks = max(picture.pixels.shape[:2]) > self.side
        return _resize(picture.pixels, inner, cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR)

    def _fitting(self, memory: int) -> int:
        """How many photographs, from the first on, fit in so many bytes."""
        shapes = (plan_letterbox((sample.height, sample.width), self.side).inner for sample in self.samples)
        sizes = np.cumsum([3 * height * width for height, width in shapes])
        return int(np.searchsorted(sizes, memory, side="right"))

    def _read_all(self, keep: int) -> None:
        """Decoding lets go of the interpreter, so that threads use all cores."""
        with ThreadPoolExecutor(os.cpu_count()) as pool:
            for index, image in enumerate(pool.map(self._read, range(len(self)))):
                self._kept[index] = image if index < keep else None


def spare_memory() -> int:
    """Bytes that this process's cache may take: half of the machine's memory, or of the container's where that is less,
    shared with the other training processes of this machine, which torchrun and accelerate count in LOCAL_WORLD_SIZE.
    """
    limit = Path("/sys/fs/cgroup/memory.max")
    text = limit.read_text().strip() if limit.is_file() else "max"
    pages = os.sysconf("SC_PHYS_PAGES") if hasattr(os, "sysconf") else 0
    machine = pages * os.sysconf("SC_PAGE_SIZE") if pages else UNKNOWN_MEMORY
    processes = os.environ.get("LOCAL_WORLD_SIZE", "")
    sharing = max(1, int(processes)) if processes.isdecimal() else 1
    return (min(machine, int(text)) if text.isdecimal() else machine) // (2 * sharing)


def _none_readable(first: Fault) -> DataError:
    return DataError("no photograph of the training set can be read", fix=f"see the first: {first}")


class ToLearn(NamedTuple):
    """What a sample has to teach, without crowds: boxes in parts of the sides, other labels in pixels of `source`."""

    boxes: Float32[np.ndarray, "n 4"]
    classes: Int64[np.ndarray, " n"]
    labels: Labels
    source: tuple[int, int]
    boxed: bool


def _to_learn(sample: Sample) -> ToLearn:
    sides, single = np.array((sample.width, sample.height) * 2, np.float32), ~sample.crowd
    labels = follow.kept(sample.labels, single.nonzero()[0])
    source = sample.height, sample.width
    return ToLearn((sample.boxes / sides)[single], sample.classes[single], labels, source, sample.boxed)


def _fit(image: Image, known: ToLearn, size: int) -> Scene:
    image = _resize(image, plan_letterbox((image.shape[0], image.shape[1]), size).inner, cv2.INTER_LINEAR)
    height, width = image.shape[:2]
    labels = follow.moved(known.labels, follow.resized(known.source, (height, width)))
    boxes = known.boxes * np.array((width, height) * 2, np.float32)
    return Scene(image, boxes, known.classes, labels, known.boxed)


def _resize(image: Image, shape: tuple[int, int], interpolation: int) -> UInt8[np.ndarray, "h2 w2 3"]:
    if image.shape[:2] == shape:
        return image
    return cv2.resize(image, shape[::-1], interpolation=interpolation).astype(np.uint8, copy=False)
