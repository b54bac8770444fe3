"""Which photograph kills its worker: a shard that was begun twice and never ended is answered one by one.

Some damage ends a process instead of raising an error. Ray would give such a shard to worker after worker for ever.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections import Counter, defaultdict
from dataclasses import dataclass

DEATHS = 2  # of workers over one shard, before it is answered with care


@dataclass(frozen=True)
class Care:
    """How to answer a shard: one by one and saying so before each, without the `guilty`, by their places in it."""

    one_by_one: bool
    guilty: frozenset[int]


class Notes(ABC):
    """What a worker tells of its work."""

    @abstractmethod
    def begin(self, shard: int) -> Care: ...

    @abstractmethod
    def at(self, shard: int, place: int) -> None:
        """The photograph at this place of the shard is next, alone."""

    @abstractmethod
    def end(self, shard: int) -> None: ...


class Ledger(Notes):
    """Keeps the notes, in a process that does no other work."""

    def __init__(self) -> None:
        self._begun = Counter[int]()
        self._at: dict[int, int] = {}
        self._guilty: defaultdict[int, set[int]] = defaultdict(set)

    def begin(self, shard: int) -> Care:
        if shard in self._at:  # the last worker was there, and is no more
            self._guilty[shard].add(self._at.pop(shard))
        self._begun[shard] += 1
        return Care(self._begun[shard] > DEATHS, frozenset(self._guilty[shard]))

    def at(self, shard: int, place: int) -> None:
        self._at[shard] = place

    def end(self, shard: int) -> None:
        for kept in (self._begun, self._at, self._guilty):
            kept.pop(shard, None)
