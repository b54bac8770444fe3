"""The sentence for one photograph."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from jaxtyping import UInt8
from PIL import Image, ImageDraw, ImageFont

from tacit.results import Answer, Result

LETTER_SHARE = 1 / 24  # size of the letters as a share of the picture's mean side
SMALLEST, LARGEST = 11, 64  # pixels
MOST_OF_PICTURE = 0.4  # of its height that the words may cover
PAPER = (np.arange(256) * 0.35).astype(np.uint8)  # what is left of the picture's levels under the words
INK = (255, 255, 255)
LEADING = 1.3  # from line to line, in sizes of the letters


@dataclass(frozen=True, eq=False)
class Caption(Answer):
    """`text` is one sentence, empty where nothing was said; `score` the mean chance of its words, in [0, 1]."""

    text: str
    score: float

    def draw(self, picture: UInt8[np.ndarray, "h w 3"], result: Result) -> None:  # noqa: ARG002  it is of all of it
        """White words on a darkened band along the lower edge (names of boxes and tags stand higher), in as many lines
        as it takes; what does not fit into the lower part of the picture is cut.
        """
        if not self.text:
            return
        height, width = picture.shape[:2]
        size = int(np.clip((height + width) / 2 * LETTER_SHARE, SMALLEST, LARGEST))
        font, step, margin = _font(size), round(size * LEADING), size // 2
        room = max(1, int((height * MOST_OF_PICTURE - margin) // step))
        lines = wrapped(self.text, font, width - 2 * margin, room)
        band = picture[max(0, height - len(lines) * step - margin) :]
        sheet = Image.fromarray(cv2.LUT(band, PAPER))
        pen = ImageDraw.Draw(sheet)
        for i, line in enumerate(lines):
            pen.text((margin, margin // 2 + i * step), line, INK, font)
        band[:] = np.asarray(sheet)

    def to_json(self) -> dict[str, Any]:
        return {"text": self.text, "score": round(self.score, 5)}

    def summary(self) -> str:
        return f"“{self.text}”" if self.text else ""


def wrapped(text: str, font: ImageFont.FreeTypeFont, width: float, most: int) -> list[str]:
    """At most `most` lines, none of them wider than `width` pixels unless a single word is; cut ones end in dots."""
    lines = list[str]()
    for word in text.split():
        longer = f"{lines[-1]} {word}" if lines else word
        if lines and font.getlength(longer) <= width:
            lines[-1] = longer
        else:
            lines.append(word)
    if len(lines) > most:
        lines = [*lines[: most - 1], f"{lines[most - 1]}…"]
    return lines


@lru_cache(maxsize=16)
def _font(size: int) -> ImageFont.FreeTypeFont:
    """DejaVu Sans, which comes with matplotlib: Latin, Greek, Cyrillic, Arabic, Hebrew and more alphabets."""
    import matplotlib as mpl  # only where words are drawn

    return ImageFont.truetype(str(Path(mpl.get_data_path()) / "fonts" / "ttf" / "DejaVuSans.ttf"), size)
