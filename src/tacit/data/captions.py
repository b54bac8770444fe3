"""Sentences that say what a whole picture shows."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Self

import numpy as np
from jaxtyping import Int64

from tacit.data.label import Label, Move

ENOUGH = 0.7  # of the picture must be left for its sentences to be true still
_SIDES = re.compile(r"\b(left|right)", re.IGNORECASE)  # "leftmost" and "right-hand" too


@dataclass(frozen=True, eq=False)
class CaptionLabels(Label):
    """What several people said of one picture; none of the sentences is empty."""

    captions: tuple[str, ...]

    @property
    def counts(self) -> dict[str, int]:
        return {"captions": len(self.captions)}

    def kept(self, rows: Int64[np.ndarray, " k"]) -> Self:  # noqa: ARG002  it speaks of the whole picture
        return self

    def moved(self, move: Move) -> Self | None:
        """Not true of a cut-out; and where left becomes right, those that speak of it are not."""
        if move.seen < ENOUGH:
            return None
        turned = move.mirrors or move.matrix[0, 0] < 0
        captions = tuple(text for text in self.captions if not (turned and _SIDES.search(text)))
        return replace(self, captions=captions) if captions else None

    @classmethod
    def joined(cls, parts: Sequence[Self | None], boxes: Sequence[int]) -> Self | None:  # noqa: ARG003  likewise
        """No sentence about one picture is about several."""
        return parts[0] if len(parts) == 1 else None
