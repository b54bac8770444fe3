"""Finding individuals again: rank-1 and mean average precision, as person search and re-identification count them.

Every object of a known individual asks once, if the individual shows in another photograph. Left out of its answers are
the objects of its own photograph, where it cannot show twice, and as with Market-1501 (ICCV 2015) the same individual
before the same camera, where that is known. An object that detection missed is never found and finds nothing.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, Float32, Int64

NO_CAMERA = -1


@dataclass(frozen=True, eq=False)
class Gallery:
    """Labelled objects, a row each: whose it is, its vector, whether detection found it (if not, the vector means
    nothing), and the numbers of its photograph and its camera.
    """

    identities: Int64[np.ndarray, " n"]
    vectors: Float32[np.ndarray, "n d"]
    found: Bool[np.ndarray, " n"]
    photographs: Int64[np.ndarray, " n"]
    cameras: Int64[np.ndarray, " n"]


@dataclass(frozen=True)
class Retrieval:
    """Means over `queries`: how often the first answer is right, the average precision, how many were detected."""

    rank1: float
    mean_ap: float
    found: float
    queries: int


def retrieval(gallery: Gallery) -> Retrieval | None:
    """None where no individual shows in two photographs that may be compared."""
    scored = [score for row in range(len(gallery.identities)) if (score := _query(gallery, row)) is not None]
    if not scored:
        return None
    rank1, mean_ap, found = np.mean(scored, axis=0).tolist()
    return Retrieval(rank1, mean_ap, found, len(scored))


def _query(gallery: Gallery, row: int) -> tuple[float, float, float] | None:
    """Rank-1, average precision and whether it was detected; None for an object that nothing can be asked about."""
    same = gallery.identities == gallery.identities[row]
    there = gallery.photographs != gallery.photographs[row]
    if gallery.cameras[row] != NO_CAMERA:
        there &= ~(same & (gallery.cameras == gallery.cameras[row]))
    wanted = same & there
    if not wanted.any():
        return None
    if not gallery.found[row]:
        return 0.0, 0.0, 0.0
    cosine = gallery.vectors @ gallery.vectors[row]
    right, wrong = cosine[wanted & gallery.found], cosine[there & ~same & gallery.found]
    above = _above(right, wrong)
    hits = np.arange(1, len(right) + 1)
    return float(above[:1].sum() == 0 < len(right)), float((hits / (hits + above)).sum() / wanted.sum()), 1.0


def _above(right: Float[np.ndarray, " k"], wrong: Float[np.ndarray, " m"]) -> Int64[np.ndarray, " k"]:
    """How many wrong answers stand before each right one, best first; of equals the wrong one comes first."""
    count: np.ndarray = len(wrong) - np.searchsorted(np.sort(wrong), -np.sort(-right), side="left")
    return count.astype(np.int64)
