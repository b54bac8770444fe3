"""What the embedding task says of one photograph: a direction for every box."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Float32, UInt8

from tacit.results import Answer, Result

DIGITS = 4


@dataclass(frozen=True, eq=False)
class Vectors(Answer):
    """A unit vector for each box: the closer two of them, the likelier they show the same individual.

    `views` says that no identities taught them but two views of each object, which stood in.
    """

    vectors: Float32[np.ndarray, "n d"]
    views: bool = False

    def draw(self, picture: UInt8[np.ndarray, "h w 3"], result: Result) -> None:
        """Nothing: a direction in many dimensions has no place in a picture."""

    def to_json(self) -> Any:
        """One list of numbers a box, rounded."""
        return [[round(value, DIGITS) for value in row] for row in self.vectors.tolist()]

    def summary(self) -> str:
        """Nothing beside the boxes."""
        return ""


def similarity(a: Vectors, b: Vectors) -> Float32[np.ndarray, "n m"]:
    """The cosine of all pairs, from -1 to 1: 1 for the same direction."""
    cosine: np.ndarray = a.vectors @ b.vectors.T
    return cosine.clip(-1, 1)
