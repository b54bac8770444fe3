"""Training pictures in batches, each a pure function of (seed, epoch, index).

A `Ticket` names one training picture completely. The sampler hands tickets out in the main process, so that worker
processes need to know nothing of epochs, and a run gives the same pictures with any number of workers, after a resume,
and split over several processes.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import torch
from jaxtyping import Float32, UInt8
from torch import Tensor
from torch.utils.data import DataLoader, Dataset, Sampler

from tacit.data import compose
from tacit.data.augment import Augment
from tacit.data.cache import Found, Photographs, spare_memory
from tacit.data.sample import Fault, Sample, Scene
from tacit.errors import ConfigError

MULTIPLE = 32  # the coarsest stride of the small networks divides every training size


@dataclass(frozen=True)
class Ticket:
    """One training picture: photograph `index`, varied for `epoch`, `size` pixels wide and high.

    `turn` counts how often the epoch has already dealt this photograph: only when a last batch had to be filled.
    """

    epoch: int
    index: int
    size: int
    turn: int = 0


@dataclass(frozen=True, eq=False)
class Item:
    """One training picture, the photographs it is made of, and what could not be read for it."""

    scene: Scene
    paths: tuple[Path, ...]
    faults: tuple[Fault, ...]


@dataclass(frozen=True, eq=False)
class Batch:
    """What one training step sees.

    `targets` rows: picture in the batch, class, then the box's centre x, y, width, height in parts of the picture.
    `images` are RGB in 0..255; their memory is pixel by pixel (channels last), as they were drawn. `paths` names every
    photograph that went into any of them, once.
    """

    images: UInt8[Tensor, "b 3 h w"]
    targets: Float32[Tensor, "n 6"]
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

    def __len__(self) -> int:
        return len(self.photographs)

    @property
    def faults(self) -> tuple[Fault, ...]:
        """The photographs that cannot be read, all of them from the start; `Item.faults` tells if more files vanish."""
        return self.photographs.faults

    def __getitem__(self, ticket: Ticket) -> Item:
        assert ticket.size <= self.size
        rng = np.random.default_rng([self.seed, ticket.epoch, ticket.index, ticket.turn])
        drawn = compose.draw(self.augment, rng, ticket.index, len(self))
        used: list[Found] = []

        def photo(index: int) -> Scene:
            used.append(self.photographs.find(index, ticket.size))
            return used[-1].scene

        scene = compose.apply(drawn, photo, ticket.size)
        faults = tuple(fault for found in used for fault in found.faults)
        return Item(scene, tuple(found.path for found in used), faults)


class TicketSampler(Sampler[list[Ticket]]):
    """The tickets of one epoch, batch by batch, shuffled by (seed, epoch).

    `batch` is the global batch: of each, process `rank` of `world` takes its consecutive part, so that all together see
    what one process alone would see. A last batch that is not full is filled from the epoch's beginning.
    """

    def __init__(
        self,
        count: int,
        batch: int,
        *,
        seed: int,
        size: int,
        epoch: int = 0,
        step: int = 0,
        rank: int = 0,
        world: int = 1,
    ) -> None:
        assert 0 <= rank < world
        if batch < 1 or batch % world:
            raise ConfigError(
                f"a batch of {batch} cannot be split over {world} processes",
                allowed=f"a multiple of {world}",
                fix="change the batch or the number of processes",
            )
        self.count, self.batch, self.seed, self.rank, self.world = count, batch, seed, rank, world
        self.size = check_size(size)
        self.begin(epoch, step=step)

    def begin(self, epoch: int, *, step: int = 0, size: int | None = None) -> None:
        """Point at another epoch, at a step within it (to resume), at another size of pictures."""
        assert 0 <= step <= self.steps
        self.epoch, self.step = epoch, step
        self.size = self.size if size is None else check_size(size)

    @property
    def steps(self) -> int:
        """Batches in a whole epoch."""
        return -(-self.count // self.batch)

    def __len__(self) -> int:
        return self.steps - self.step

    def __iter__(self) -> Iterator[list[Ticket]]:
        epoch, size, share = self.epoch, self.size, self.batch // self.world
        order = np.random.default_rng([self.seed, epoch]).permutation(self.count).tolist()
        for step in range(self.step, self.steps):
            begin = step * self.batch + self.rank * share
            turns = (divmod(position, self.count) for position in range(begin, begin + share))
            yield [Ticket(epoch, order[place], size, turn) for turn, place in turns]


def check_size(size: int) -> int:
    """The size itself. Raises ConfigError unless it is a positive multiple of 32."""
    if size < MULTIPLE or size % MULTIPLE:
        raise ConfigError(
            f"a training size of {size} px does not fit the network's grid",
            allowed=f"multiples of {MULTIPLE}",
            fix=f"use {max(MULTIPLE, round(size / MULTIPLE) * MULTIPLE)}",
        )
    return size


def collate(items: Sequence[Item]) -> Batch:
    """Items of one size as a batch."""
    pixels = np.stack([item.scene.image for item in items])
    images = torch.from_numpy(pixels).permute(0, 3, 1, 2)  # (b, h, w, 3) -> (b, 3, h, w), without copying
    rows = np.concatenate([_targets(position, item.scene) for position, item in enumerate(items)])
    faults = tuple(fault for item in items for fault in item.faults)
    paths = tuple(dict.fromkeys(path for item in items for path in item.paths))
    return Batch(images, torch.from_numpy(rows), paths, faults)


def _targets(position: int, scene: Scene) -> Float32[np.ndarray, "n 6"]:
    height, width = scene.image.shape[:2]
    rows = np.empty((len(scene.boxes), 6), np.float32)
    rows[:, 0], rows[:, 1] = position, scene.classes
    rows[:, 2:4] = (scene.boxes[:, :2] + scene.boxes[:, 2:]) / (2 * width, 2 * height)
    rows[:, 4:6] = (scene.boxes[:, 2:] - scene.boxes[:, :2]) / (width, height)
    return rows


def training_loader(photos: TrainingPhotos, sampler: TicketSampler, workers: int = 0) -> DataLoader[Item]:
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
        collate_fn=collate,
        persistent_workers=workers > 0,
        worker_init_fn=_start_worker,
        multiprocessing_context="fork" if workers and forks else None,
        generator=torch.Generator(),
    )


def _start_worker(_: int) -> None:
    cv2.setNumThreads(0)  # workers are the parallelism; threads within them would fight over the cores
