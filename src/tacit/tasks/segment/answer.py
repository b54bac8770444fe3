"""The masks of one photograph, one for each box."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from jaxtyping import Bool, Int64, UInt8

from tacit.drawing import colour_of, line_width, veil
from tacit.results import Answer, Result
from tacit.tasks.segment.runs import Runs, runs_of

VEIL = 0.45  # how much of the class's colour lies over an object


@dataclass(frozen=True, eq=False)
class Masks(Answer):
    """One mask for each box of the result, at the resolution of the photograph.

    `crops[i]` is what mask i is about its object, and its upper left pixel lies at `corners[i]` (x, y); outside of its
    crop a mask is empty. `shape` is that of the photograph (height, width), and every crop lies inside.
    """

    under = True

    shape: tuple[int, int]
    crops: Sequence[Bool[np.ndarray, "_ _"]]
    corners: Int64[np.ndarray, "n 2"]

    def __len__(self) -> int:
        return len(self.crops)

    def mask(self, index: int) -> Bool[np.ndarray, "height width"]:
        """The whole mask of box `index`."""
        whole = np.zeros(self.shape, bool)
        self._window(whole, index)[...] = self.crops[index]
        return whole

    def runs(self, index: int) -> Runs:
        """Mask `index` as COCO writes it, compressed."""
        return runs_of(self.crops[index], (int(self.corners[index, 0]), int(self.corners[index, 1])), self.shape)

    def draw(self, picture: UInt8[np.ndarray, "h w 3"], result: Result) -> None:
        """A veil of the class's colour over every object and a line around it, the best on top."""
        photograph, width = picture.copy(), line_width(picture)
        for index in range(len(self) - 1, -1, -1):
            crop, colour = self.crops[index], colour_of(int(result.classes[index]))
            ground = self._window(photograph, index)  # not of the picture: a mask hides those behind it
            veil(self._window(picture, index), crop, colour, VEIL, ground)
            framed = np.pad(crop, 1).astype(np.uint8)
            lines, _ = cv2.findContours(framed, cv2.RETR_CCOMP, cv2.CHAIN_APPROX_NONE)
            offset = (int(self.corners[index, 0]) - 1, int(self.corners[index, 1]) - 1)
            cv2.drawContours(picture, lines, -1, colour, width, cv2.LINE_AA, offset=offset)

    def to_json(self) -> Any:
        """COCO's compressed run lengths, one for each box: {"size": [height, width], "counts": text}."""
        return [self.runs(index) for index in range(len(self))]

    def summary(self) -> str:
        """Nothing: the boxes say it."""
        return ""

    def supervised(self) -> dict[str, Any]:
        return {"mask": np.array([self.mask(index) for index in range(len(self))], bool).reshape(-1, *self.shape)}

    def _window(self, whole: np.ndarray, index: int) -> np.ndarray:
        """The part of a picture of this shape that crop `index` lies on."""
        (x, y), (height, width) = self.corners[index].tolist(), self.crops[index].shape
        return whole[y : y + height, x : x + width]
