"""The tags of one photograph."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float32, UInt8

from tacit.drawing import plate, plate_height
from tacit.results import Answer, Result

SHOWN = 0.5  # a tag is said from here on
WORTH_WRITING = 0.05
FEWEST = 5  # scores that are written in any case
MOST_DRAWN = 6
PAPER = (38, 44, 56)  # dark, as no box's plate is: these words are of the whole picture


@dataclass(frozen=True, eq=False)
class Tags(Answer):
    """All tags that were asked for, best score first; with `single` just one of them is true."""

    names: tuple[str, ...]
    scores: Float32[np.ndarray, " n"]
    single: bool = False

    @property
    def shown(self) -> tuple[str, ...]:
        """The tags that are said of the photograph: those above 0.5, or the best where there is a single one."""
        return self.names[: 1 if self.single else int((self.scores > SHOWN).sum())]

    def draw(self, picture: UInt8[np.ndarray, "h w 3"], result: Result) -> None:
        """Plates downwards from the upper right corner (names of boxes stand at their left), the best first, as many as
        fit into half of the picture. Of several answers of this kind the first draws them all, one below the other.
        """
        together = [answer for answer in result.answers.values() if isinstance(answer, Tags)] or [self]
        texts = [text for answer in together for text in _plates(answer)] if together[0] is self else []
        height, right = picture.shape[:2]
        top = 0
        for text in texts:
            if top >= height // 2 > 0:
                break
            top += plate_height(picture, text)
            plate(picture, text, (right, top), PAPER)

    def to_json(self) -> dict[str, float]:
        """Scores by name, best first: those above 0.05, and five at least."""
        count = max(FEWEST, int((self.scores > WORTH_WRITING).sum()))
        rows = zip(self.names[:count], self.scores[:count].tolist(), strict=True)
        return {name: round(score, 4) for name, score in rows}

    def summary(self) -> str:
        return f"tags: {', '.join(self.shown)}" if self.shown else ""


def _plates(tags: Tags) -> list[str]:
    rows = zip(tags.shown[:MOST_DRAWN], tags.scores.tolist(), strict=False)
    return [f"{name} {score:.0%}" for name, score in rows]
