"""Maps: what is known of every pixel of a photograph.

A pixel is of a class, or it is known to be of none of certain classes (in a picture in which every person is masked,
and nothing else, the other pixels are "anything but person"), or nothing is known of it. A map's numbers are therefore
places in its own list of `meanings`: a name, or the set of names that it is not.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import cv2
import numpy as np
from jaxtyping import Int64, UInt16

from tacit.data.label import Label, Move
from tacit.data.segments import Segments

OTHER = "other"  # nothing of the known classes
UNKNOWN = 65535  # as a pixel
Meaning = str | frozenset[str]
"""The name of a class, or the names of those that it is not."""
Pixels = UInt16[np.ndarray, "h w"]


class MapSource(ABC):
    """Where a map comes from. It is made anew each time it is asked for: those of a whole dataset fill any memory."""

    @property
    @abstractmethod
    def meanings(self) -> tuple[Meaning, ...]:
        """What the numbers of the pixels mean."""

    @property
    @abstractmethod
    def names(self) -> tuple[str, ...]:
        """The classes that this source teaches, "other" not among them."""

    @abstractmethod
    def pixels(self) -> Pixels:
        """Places in `meanings`, or UNKNOWN. Raises ImageError where a file cannot be read."""

    def segments(self) -> Segments | None:
        """The same with things told apart, where the source knows it of all classes."""
        return None


@dataclass(frozen=True, eq=False)
class MapInMemory(MapSource):
    """The pixels themselves."""

    numbers: Pixels
    listed: tuple[Meaning, ...]

    @property
    def meanings(self) -> tuple[Meaning, ...]:
        return self.listed

    @property
    def names(self) -> tuple[str, ...]:
        return named(self.listed)

    def pixels(self) -> Pixels:
        return self.numbers


@dataclass(frozen=True, eq=False)
class MapLabels(Label):
    """The map of one picture."""

    source: MapSource

    def kept(self, rows: Int64[np.ndarray, " k"]) -> Self:  # noqa: ARG002  a map speaks of the whole picture
        return self

    def moved(self, move: Move) -> Self | None:
        """Each pixel takes what is known of the nearest one; what comes from outside is unknown. None where all is."""
        if move.source == move.target and np.array_equal(move.matrix, np.eye(3)):
            return self
        height, width = move.target
        half = np.array([[1.0, 0.0, 0.5], [0.0, 1.0, 0.5], [0.0, 0.0, 1.0]])  # a pixel's number -> its centre
        matrix = np.linalg.inv(half) @ move.matrix @ half
        pixels = cv2.warpPerspective(
            self.source.pixels(), matrix, (width, height), flags=cv2.INTER_NEAREST, borderValue=UNKNOWN
        ).astype(np.uint16, copy=False)
        return None if (pixels == UNKNOWN).all() else type(self)(MapInMemory(pixels, self.source.meanings))

    @classmethod
    def joined(cls, parts: Sequence[Self | None], boxes: Sequence[int]) -> Self | None:  # noqa: ARG003  likewise
        """The parts laid over each other. Where two of them disagree, as in a blend, nothing is known any more."""
        sources = [part.source for part in parts if part is not None]
        meanings = tuple(dict.fromkeys(meaning for source in sources for meaning in source.meanings))
        place = {meaning: index for index, meaning in enumerate(meanings)}
        together: Pixels | None = None
        for source in sources:
            pixels = renumbered(source.pixels(), [place[meaning] for meaning in source.meanings])
            together = pixels if together is None else _laid_over(together, pixels)
        assert together is not None
        return cls(MapInMemory(together, meanings))


def renumbered(pixels: Pixels, numbers: Sequence[int], unknown: int = UNKNOWN) -> Pixels:
    """Every pixel i becomes numbers[i]; those beyond the list, as UNKNOWN is, become `unknown`."""
    table = np.array([*numbers, unknown], np.uint16)
    moved: np.ndarray = table[np.minimum(pixels, len(numbers))]
    return moved


def named(meanings: Sequence[Meaning]) -> tuple[str, ...]:
    """The classes that stand in a list of meanings by their name."""
    return tuple(meaning for meaning in meanings if isinstance(meaning, str))


def _laid_over(below: Pixels, above: Pixels) -> Pixels:
    agreed = np.where((above == UNKNOWN) | (above == below), below, np.uint16(UNKNOWN))
    together: np.ndarray = np.where(below == UNKNOWN, above, agreed)
    return together
