"""Reading a photograph a second time: by OpenCV, in two thirds of the time that Pillow takes, for the same pixels.

OpenCV fills a truncated JPEG with grey without a word. It reads only what Pillow has read whole before, from a file
that is still as long, and only where both gave the same pixels, which `compared` makes sure of.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from jaxtyping import UInt8

from tacit.data.images import Picture

JPEG = b"\xff\xd8\xff"  # how a file begins
FLAGS = {
    1: cv2.IMREAD_COLOR,
    2: cv2.IMREAD_REDUCED_COLOR_2,
    4: cv2.IMREAD_REDUCED_COLOR_4,
    8: cv2.IMREAD_REDUCED_COLOR_8,
}


@dataclass(frozen=True)
class Again:
    """A JPEG that OpenCV may read: its length in bytes, height and width of the whole photograph, and the part of them
    (1, a half, a quarter, an eighth) that is decoded.
    """

    path: Path
    length: int
    height: int
    width: int
    part: int

    def read(self) -> Picture | None:
        """What Pillow gave; None where the file has changed or is gone."""
        try:
            content = self.path.read_bytes()
        except OSError:
            return None
        return self._decoded(content) if len(content) == self.length else None

    def _decoded(self, content: bytes) -> Picture | None:
        pixels = cv2.imdecode(np.frombuffer(content, np.uint8), FLAGS[self.part])
        return None if pixels is None else Picture(_rgb(pixels), self.height, self.width)


def compared(path: Path, first: Picture) -> Again | None:
    """How to read the file again that Pillow read as `first`; None where OpenCV reads it otherwise."""
    part = round(max(first.height, first.width) / max(first.pixels.shape[:2]))
    try:
        content = path.read_bytes()
    except OSError:
        return None
    if part not in FLAGS or not content.startswith(JPEG):
        return None
    again = Again(path, len(content), first.height, first.width, part)
    second = again.read()
    return again if second is not None and np.array_equal(first.pixels, second.pixels) else None


def _rgb(bgr: np.ndarray) -> UInt8[np.ndarray, "h w 3"]:
    return cv2.cvtColor(bgr, cv2.COLOR_BGR2RGB, dst=bgr).astype(np.uint8, copy=False)
