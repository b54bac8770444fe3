"""Labels follow their picture: moved, cut down to the boxes that are left, joined with those of other pictures."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float64, Int64

from tacit.data.label import Label, Move, Shape
from tacit.data.sample import Labels, Scene


def moved(labels: Labels, move: Move) -> Labels:
    """Those that are still true after the move."""
    after = {kind: label.moved(move) for kind, label in labels.items()}
    return {kind: label for kind, label in after.items() if label is not None}


def kept(labels: Labels, rows: Int64[np.ndarray, " k"]) -> Labels:
    """All of them, for these boxes."""
    return {kind: label.kept(rows) for kind, label in labels.items()}


def joined(scenes: Sequence[Scene], labels: Sequence[Labels]) -> Labels:
    """Of several scenes that became one; `labels` are theirs, moved to where they lie."""
    boxes = [len(scene.boxes) for scene in scenes]
    together = {kind: kind.joined([one.get(kind) for one in labels], boxes) for kind in _kinds(labels)}
    return {kind: label for kind, label in together.items() if label is not None}


def renamed(labels: Labels, ids: Int64[np.ndarray, " classes"]) -> Labels:
    """All of them, where class i is now called ids[i]."""
    return {kind: label.renamed(ids) for kind, label in labels.items()}


def scaling(x: float, y: float, left: float = 0.0, top: float = 0.0) -> Float64[np.ndarray, "3 3"]:
    """The matrix that scales both axes, then shifts by pixels."""
    return np.array([[x, 0, left], [0, y, top], [0, 0, 1.0]])


def resized(source: Shape, target: Shape) -> Move:
    """A whole picture stretched to another size."""
    return Move(scaling(target[1] / source[1], target[0] / source[0]), source, target)


def _kinds(labels: Sequence[Labels]) -> dict[type[Label], None]:
    return {kind: None for one in labels for kind in one}
