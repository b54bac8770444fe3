"""Which photographs an epoch shows, in which order: tickets, each of which names one training picture completely."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import cycle, islice

import numpy as np
from jaxtyping import Int64
from torch.utils.data import Sampler

from tacit.errors import ConfigError

MULTIPLE = 32  # the coarsest stride of the small networks divides every training size


@dataclass(frozen=True)
class Ticket:
    """One training picture: photograph `index`, varied for `epoch`, `size` pixels wide and high.

    `turn` counts how often the epoch has already dealt this photograph.
    """

    epoch: int
    index: int
    size: int
    turn: int = 0


@dataclass(frozen=True)
class Share:
    """A dataset of `count` photographs, and how much of an epoch it makes up beside the others."""

    count: int
    weight: float


class TicketSampler(Sampler[list[Ticket]]):
    """The tickets of one epoch, batch by batch, shuffled by (seed, epoch).

    `batch` is the global batch: of each, process `rank` of `world` takes its consecutive part, so that all together see
    what one process alone would see. A last batch that is not full is filled from the epoch's beginning.

    An epoch shows every photograph once; with `shares` it is as long, and each dataset has its part of it, so that some
    photographs come more than once or not at all. With `pairs` each comes twice in a row, varied differently.
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
        shares: Sequence[Share] = (),
        pairs: bool = False,
    ) -> None:
        assert 0 <= rank < world
        assert not shares or sum(share.count for share in shares) == count
        if batch < 1 or batch % world:
            raise ConfigError(
                f"a batch of {batch} cannot be split over {world} processes",
                allowed=f"a multiple of {world}",
                fix="change the batch or the number of processes",
            )
        self.count, self.batch, self.seed, self.rank, self.world = count, batch, seed, rank, world
        self.shares, self.pairs = tuple(shares), pairs
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
        return -(-self.count * (2 if self.pairs else 1) // self.batch)

    def __len__(self) -> int:
        return self.steps - self.step

    def __iter__(self) -> Iterator[list[Ticket]]:
        share = self.batch // self.world
        dealt = self._dealt()
        for step in range(self.step, self.steps):
            begin = step * self.batch + self.rank * share
            yield dealt[begin : begin + share]

    def _dealt(self) -> list[Ticket]:
        """All tickets of the epoch, of all processes."""
        order, turns = self._order(np.random.default_rng([self.seed, self.epoch])).tolist(), Counter[int]()
        tickets = list[Ticket]()
        for index in islice(cycle(order), self.steps * self.batch):
            tickets.append(Ticket(self.epoch, index, self.size, turns[index]))
            turns[index] += 1
        return tickets

    def _order(self, rng: np.random.Generator) -> Int64[np.ndarray, " photographs"]:
        order = rng.permutation(self.count) if not self.shares else _by_share(self.shares, self.count, rng)
        return order.repeat(2) if self.pairs else order


def check_size(size: int) -> int:
    """The size itself. Raises ConfigError unless it is a positive multiple of 32."""
    if size < MULTIPLE or size % MULTIPLE:
        raise ConfigError(
            f"a training size of {size} px does not fit the network's grid",
            allowed=f"multiples of {MULTIPLE}",
            fix=f"use {max(MULTIPLE, round(size / MULTIPLE) * MULTIPLE)}",
        )
    return size


def _by_share(shares: Sequence[Share], count: int, rng: np.random.Generator) -> Int64[np.ndarray, " photographs"]:
    """`count` photographs, shared out by weight; no photograph comes again before all of its dataset have come."""
    ends = np.cumsum([share.weight for share in shares])
    ends = np.round(ends / ends[-1] * count).astype(np.int64)
    quotas = np.diff(ends, prepend=0)
    parts, start = list[np.ndarray](), 0
    for share, quota in zip(shares, quotas.tolist(), strict=True):
        rounds = [rng.permutation(share.count) for _ in range(-(-quota // share.count))]
        parts += [start + one for one in [np.concatenate([np.empty(0, np.int64), *rounds])[:quota]]]
        start += share.count
    order: np.ndarray = rng.permutation(np.concatenate(parts))
    return order
