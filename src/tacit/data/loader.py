"""Training pictures in batches, each a pure function of (seed, epoch, index).

The sampler hands tickets out in the main process, so that worker processes need to know nothing of epochs, and a run
gives the same pictures with any number of workers, after a resume, and split over several processes.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Protocol, runtime_checkable

import cv2
import numpy as np
import torch
from jaxtyping import Float32, Int64, UInt8
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from tacit.data import compose
from tacit.data.augment import Augment
from tacit.data.box_rows import box_rows
from tacit.data.cache import Found, Photographs, spare_memory
from tacit.data.sample import Fault, Sample, Scene
from tacit.data.tickets import Ticket, TicketSampler, check_size

NOBODY = np.empty(0, np.int64)


@dataclass(frozen=True, eq=False)
class Item:
    """One training picture, the photographs it is made of, and what could not be read for it."""

    scene: Scene
    paths: tuple[Path, ...]
    faults: tuple[Fault, ...]


@runtime_checkable
class Teaching(Protocol):
    """What the loader has to know of a task."""

    def labels(self, thing: Scene) -> bool:
        """Whether the scene teaches it."""

    def targets(self, scenes: Sequence[Scene]) -> dict[str, Tensor]:
        """What these scenes ask for."""


@dataclass(frozen=True, eq=False)
class Lesson:
    """What a batch teaches one task: the `images` that label it, by their place in the batch, and what they ask for."""

    images: Int64[Tensor, " labelled"]
    targets: dict[str, Tensor]

    def to(self, device: torch.device) -> Lesson:
        """The same on another device."""
        return Lesson(self.images.to(device), {name: value.to(device) for name, value in self.targets.items()})


@dataclass(frozen=True, eq=False)
class Batch:
    """What one training step sees.

    `boxes` rows: picture in the batch, class, then the box's centre x, y, width, height in parts of the picture.
    `images` are RGB in 0..255; their memory is pixel by pixel (channels last), as they were drawn. `paths` names every
    photograph that went into any of them, once. `lessons` are by task.
    """

    images: UInt8[Tensor, "b 3 h w"]
    boxes: Float32[Tensor, "n 6"]
    lessons: dict[str, Lesson]
    paths: tuple[Path, ...]
    faults: tuple[Fault, ...] = ()


class TrainingPhotos(Dataset[Item]):
    """Varied photographs by ticket.

    `samples` may come from several datasets that share one list of classes; `size` is the largest side, in pixels, that
    a ticket may ask for. All are decoded once, now; `cache` keeps them in memory too (see `cache`). An unreadable one
    is replaced by the next and stands in `faults`; `strict` raises its ImageError. Raises DataError when none can be
    read.
    """

    def __init__(
        self,
        samples: Sequence[Sample],
        size: int,
        augment: Augment,
        seed: int,
        cache: bool = True,
        strict: bool = False,
    ) -> None:
        self.size, self.augment, self.seed = check_size(size), augment, seed
        self.photographs = Photographs(samples, size, keep=spare_memory() if cache else 0, strict=strict)
        self._boxed = np.array([index for index, sample in enumerate(samples) if sample.boxed], np.int64)

    def __len__(self) -> int:
        return len(self.photographs)

    @property
    def faults(self) -> tuple[Fault, ...]:
        """The photographs that cannot be read, all of them from the start; `Item.faults` tells if more files vanish."""
        return self.photographs.faults

    def __getitem__(self, ticket: Ticket) -> Item:
        assert ticket.size <= self.size
        rng = np.random.default_rng([self.seed, ticket.epoch, ticket.index, ticket.turn])
        # a photograph without labelled boxes stays whole: a mosaic would leave nothing true of it
        partners = self._boxed if self.photographs.samples[ticket.index].boxed else NOBODY
        drawn = compose.draw(self.augment, rng, ticket.index, partners)
        used: list[Found] = []

        def photo(index: int) -> Scene:
            used.append(self.photographs.find(index, ticket.size))
            return used[-1].scene

        scene = compose.apply(drawn, photo, ticket.size)
        faults = tuple(fault for found in used for fault in found.faults)
        return Item(scene, tuple(found.path for found in used), faults)


def collate(items: Sequence[Item], tasks: Mapping[str, Teaching]) -> Batch:
    """Items of one size as a batch, with a lesson for each of the tasks."""
    scenes = [item.scene for item in items]
    pixels = np.stack([scene.image for scene in scenes])
    images = torch.from_numpy(pixels).permute(0, 3, 1, 2)  # (b, h, w, 3) -> (b, 3, h, w), without copying
    lessons = {name: _lesson(task, scenes) for name, task in tasks.items()}
    faults = tuple(fault for item in items for fault in item.faults)
    paths = tuple(dict.fromkeys(path for item in items for path in item.paths))
    return Batch(images, torch.from_numpy(box_rows(scenes)), lessons, paths, faults)


def _lesson(task: Teaching, scenes: Sequence[Scene]) -> Lesson:
    images = [place for place, scene in enumerate(scenes) if task.labels(scene)]
    return Lesson(torch.tensor(images, dtype=torch.int64), task.targets([scenes[place] for place in images]))


def training_loader(
    photos: TrainingPhotos, sampler: TicketSampler, tasks: Mapping[str, Teaching], workers: int = 0
) -> DataLoader[Item]:
    """A DataLoader of `Batch`es. Its own generator leaves torch's global random state alone.

    Workers stay alive between epochs: call `sampler.begin(...)`, then iterate again. Where they cannot be forked (not
    Linux) each would get a copy of the cache: there workers and a cache exclude each other, and the cache goes.
    """
    forks = sys.platform == "linux"
    if workers and not forks:
        photos.photographs.forget()
    return DataLoader(
        photos,
        batch_sampler=sampler,
        num_workers=workers,
        collate_fn=partial(collate, tasks=tasks),
        persistent_workers=workers > 0,
        worker_init_fn=_start_worker,
        multiprocessing_context="fork" if workers and forks else None,
        generator=torch.Generator(),
    )


def _start_worker(_: int) -> None:
    cv2.setNumThreads(0)  # workers are the parallelism; threads within them would fight over the cores
