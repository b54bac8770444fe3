"""Following individuals through a film by their vectors and their boxes: as little as it takes to count switches."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from jaxtyping import Float, Float32, Int64

from tacit.tasks.detect.matching import overlaps
from tacit.tasks.embed.pairing import best_pairs


@dataclass(frozen=True, kw_only=True)
class Following:
    """What makes a box the next of a track."""

    confidence: float = 0.4
    """Boxes with a lower score are not followed."""
    near: float = 0.3
    """Of two frames in a row, boxes that overlap at least so much may be of one track, ..."""
    alike: float = 0.6
    """... and so may boxes anywhere whose vectors are at least so similar."""
    patience: int = 30
    """After so many frames without a box a track is over."""
    memory: float = 0.9
    """The share of a track's vector that stays when a box is added (JDE, arXiv 1909.12605, section 3.5)."""


@dataclass
class _Track:
    number: int
    box: Float32[np.ndarray, "4"]
    vector: Float32[np.ndarray, " d"]
    frame: int


@dataclass
class Tracker:
    """Tracks through one film: `update` frame by frame."""

    following: Following = Following()
    frame: int = 0
    _tracks: list[_Track] = field(default_factory=list)
    _begun: int = 0

    def update(
        self, boxes: Float32[np.ndarray, "n 4"], scores: Float32[np.ndarray, " n"], vectors: Float32[np.ndarray, "n d"]
    ) -> Int64[np.ndarray, " n"]:
        """The number of each box's track, from 0, or -1 for boxes that are not followed."""
        self.frame += 1
        self._tracks = [one for one in self._tracks if self.frame - one.frame <= self.following.patience]
        numbers = np.full(len(boxes), -1, np.int64)
        sure = np.flatnonzero(scores >= self.following.confidence)
        old, new = self._pairs(boxes[sure], vectors[sure])
        for track, row in zip(old.tolist(), sure[new].tolist(), strict=True):
            self._go_on(self._tracks[track], boxes[row], vectors[row])
            numbers[row] = self._tracks[track].number
        for row in np.setdiff1d(sure, sure[new]).tolist():
            self._tracks.append(_Track(self._begun, boxes[row], vectors[row], self.frame))
            numbers[row] = self._begun
            self._begun += 1
        return numbers

    def _pairs(
        self, boxes: Float32[np.ndarray, "n 4"], vectors: Float32[np.ndarray, "n d"]
    ) -> tuple[Int64[np.ndarray, " k"], Int64[np.ndarray, " k"]]:
        if not self._tracks or not len(boxes):
            return np.empty(0, np.int64), np.empty(0, np.int64)
        alike = np.stack([one.vector for one in self._tracks]) @ vectors.T
        fresh = np.array([one.frame == self.frame - 1 for one in self._tracks])
        overlap = overlaps(np.stack([one.box for one in self._tracks]), boxes) * fresh[:, None]
        affinity: Float[np.ndarray, "t n"] = 2 + 2 * alike + overlap  # vectors count twice; above 0 but for opposites
        allowed = (overlap >= self.following.near) | (alike >= self.following.alike)
        return best_pairs(affinity, allowed & (affinity > 0))

    def _go_on(self, track: _Track, box: Float32[np.ndarray, "4"], vector: Float32[np.ndarray, " d"]) -> None:
        memory = self.following.memory
        mixed = memory * track.vector + (1 - memory) * vector
        track.box, track.frame = box, self.frame
        track.vector = (mixed / max(float(np.linalg.norm(mixed)), 1e-6)).astype(np.float32)
