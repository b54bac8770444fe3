"""Which individual each box shows, and how individuals are numbered: by their names, the same in every run.

Where no source knows individuals, every object of a photograph is one of its own (`stood_in`): two differently varied
pictures of the photograph then show the same ones, and what is learnt or scored on them says so.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from hashlib import blake2b

import numpy as np
from jaxtyping import Int64

from tacit.data.label import Label, Move
from tacit.data.sample import Dataset, Sample

UNKNOWN = -1
"""The number of an object whose individual nobody has named."""


@dataclass(frozen=True)
class Shot:
    """Where a photograph comes from: its camera or film, and its `frame` in that film, from 1, if it is of one."""

    camera: str
    frame: int | None = None


@dataclass(frozen=True, eq=False)
class IdentityLabels(Label):
    """The number of the individual in each box, UNKNOWN where it is not known; `number_of` makes them.

    `views` is True where no source knows individuals, and the numbers were made up for the views of one photograph.
    `shot` is known of a whole photograph alone.
    """

    identities: Int64[np.ndarray, " n"]
    views: bool = False
    shot: Shot | None = None

    @property
    def counts(self) -> dict[str, int]:
        """Objects of known individuals."""
        name = "objects of which two views stand in for an individual" if self.views else "objects of known individuals"
        return {name: int((self.identities != UNKNOWN).sum())}

    def kept(self, rows: Int64[np.ndarray, " k"]) -> IdentityLabels:
        """Of these boxes."""
        return replace(self, identities=self.identities[rows])

    def moved(self, move: Move) -> IdentityLabels:
        """Nobody turns into somebody else by being moved."""
        assert move.matrix.shape == (3, 3)
        return self

    @classmethod
    def joined(cls, parts: Sequence[IdentityLabels | None], boxes: Sequence[int]) -> IdentityLabels:
        """All of them; the objects of a picture without such labels are unknown."""
        rows = [
            np.full(count, UNKNOWN, np.int64) if part is None else part.identities
            for part, count in zip(parts, boxes, strict=True)
        ]
        return cls(np.concatenate(rows), views=any(part.views for part in parts if part))


def number_of(*names: str) -> int:
    """The number of the individual of that name in a dataset, a folder, a film: 63 bits of a hash, so that datasets
    which are listed together need not know of each other's numbers.
    """
    text = "\0".join(names).encode(errors="surrogateescape")
    return int.from_bytes(blake2b(text, digest_size=8).digest(), "big") >> 1


def stood_in(dataset: Dataset) -> Dataset:
    """The dataset with an individual of its own for every labelled object, if none of its photographs names any.

    Crowds are nobody.
    """
    if any(sample.label(IdentityLabels) for sample in dataset.samples):
        return dataset
    return replace(dataset, samples=tuple(_views(sample) if sample.boxed else sample for sample in dataset.samples))


def _views(sample: Sample) -> Sample:
    numbers = [number_of(str(sample.path), str(row)) for row in range(len(sample.boxes))]
    identities = np.where(sample.crowd, UNKNOWN, np.array(numbers, np.int64))
    return replace(sample, labels={**sample.labels, IdentityLabels: IdentityLabels(identities, views=True)})


class Partners:
    """For each photograph another that shows one of its individuals, where there is one."""

    def __init__(self, samples: Sequence[Sample]) -> None:
        shown = defaultdict[int, list[int]](list)
        self._identities = [_known(sample) for sample in samples]
        for index, identities in enumerate(self._identities):
            for identity in identities:
                shown[identity].append(index)
        self._photographs = {identity: np.array(found) for identity, found in shown.items()}

    def of(self, index: int, rng: np.random.Generator) -> int:
        """One of them by chance, first an individual, then a photograph; `index` itself where there is no other."""
        shared = [one for one in self._identities[index] if len(self._photographs[one]) > 1]
        if not shared:
            return index
        found = self._photographs[shared[rng.integers(len(shared))]]
        return int(rng.choice(found[found != index]))


def _known(sample: Sample) -> list[int]:
    label = sample.label(IdentityLabels)
    return [] if label is None else sorted(set(label.identities.tolist()) - {UNKNOWN})
