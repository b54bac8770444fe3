"""What detection found in one photograph, as the tasks that speak of single objects take it on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Float32, Int64, UInt8

from tacit.results import Answer, Result


@dataclass(frozen=True, eq=False)
class Boxes(Answer):
    """Best score first: `boxes` xyxy in pixels of the photograph, clipped to it; `inputs` xyxy in pixels of the
    network's input, not clipped; `cells` are the numbers of the cells that found them (`tasks.cells`).
    """

    boxes: Float32[np.ndarray, "n 4"]
    inputs: Float32[np.ndarray, "n 4"]
    scores: Float32[np.ndarray, " n"]
    classes: Int64[np.ndarray, " n"]
    cells: Int64[np.ndarray, " n"]

    def draw(self, picture: UInt8[np.ndarray, "h w 3"], result: Result) -> None:
        """Nothing: the boxes are the result's own."""

    def to_json(self) -> Any:
        """Nothing beside what the result says."""

    def summary(self) -> str:
        return ""


NOTHING = Boxes(
    boxes=np.empty((0, 4), np.float32),
    inputs=np.empty((0, 4), np.float32),
    scores=np.empty(0, np.float32),
    classes=np.empty(0, np.int64),
    cells=np.empty(0, np.int64),
)
"""Of a network that does not detect."""
