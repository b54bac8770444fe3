"""What one photograph gave back: a frozen record that every task, engine and writer speaks."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from jaxtyping import Float32, Int64, UInt8
from PIL import Image

from tacit.data.images import load_image
from tacit.drawing import draw_boxes
from tacit.errors import DataError, ImageError, MissingExtraError, TacitError

if TYPE_CHECKING:
    import supervision

PICTURE_SUFFIXES = (".jpg", ".jpeg", ".png", ".webp", ".bmp", ".tif", ".tiff")


@dataclass(frozen=True, eq=False, repr=False)
class Result:
    """The answers for one photograph, best score first.

    `boxes` are xyxy in pixels of the original image, `scores` lie in [0, 1], `classes` index `names`,
    `image` is RGB and may be absent (a result read from a file has no picture).
    """

    boxes: Float32[np.ndarray, "n 4"]
    scores: Float32[np.ndarray, " n"]
    classes: Int64[np.ndarray, " n"]
    names: tuple[str, ...]
    width: int
    height: int
    path: Path | None = None
    image: UInt8[np.ndarray, "h w 3"] | None = None

    def __len__(self) -> int:
        return len(self.boxes)

    def __repr__(self) -> str:
        where = f"{self.path.name!r}, " if self.path else ""
        return f"Result({where}{self.width} x {self.height}, {self.summary()})"

    def summary(self) -> str:
        """What was found, in a line for people: `2 x person, 1 x cat`, most frequent first."""
        counts = Counter(self.names[index] for index in self.classes.tolist())
        return ", ".join(f"{count} x {name}" for name, count in counts.most_common()) or "nothing"

    def draw(self) -> UInt8[np.ndarray, "h w 3"]:
        """A new RGB picture with the boxes, on `image` or else on the file at `path`; raises `ImageError`."""
        image = self._read_again() if self.image is None else self.image
        return draw_boxes(image, self.boxes, self.classes, self.names, self.scores)

    def save(self, path: str | Path) -> Path:
        """Writes the drawn picture, makes the folders it needs, and returns the path.

        Raises `ImageError` when there is no picture to draw on or the name does not end like an image's.
        """
        target = Path(path)
        if target.suffix.lower() not in PICTURE_SUFFIXES:
            raise ImageError(
                f"a picture cannot be written as {target.name!r}",
                allowed=f"names that end in {', '.join(PICTURE_SUFFIXES)}",
                fix=f"save to {target.name + '.jpg'!r}",
            )
        picture = Image.fromarray(self.draw())
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            picture.save(target, quality=92)
        except OSError as error:
            raise TacitError(f"{target} cannot be written: {error}", fix="choose a folder you may write to") from error
        return target

    def to_dict(self) -> dict[str, Any]:
        """Plain Python values, ready for JSON; `from_dict` reads them back."""
        rows = zip(self.boxes.tolist(), self.scores.tolist(), self.classes.tolist(), strict=True)
        return {
            "path": None if self.path is None else str(self.path),
            "width": self.width,
            "height": self.height,
            "boxes": [
                {"box": box, "score": score, "class": index, "name": self.names[index]} for box, score, index in rows
            ],
        }

    @classmethod
    def from_dict(cls, record: Mapping[str, Any], names: Sequence[str] | None = None) -> Result:
        """The result that `to_dict` wrote, without its picture; raises `DataError` when `record` is not one.

        A record names only the classes it found. Where `names` does not tell them all, the others are called by number.
        """
        try:
            rows = list(record["boxes"])
            path = None if record["path"] is None else Path(record["path"])
            return cls(
                boxes=np.array([row["box"] for row in rows], np.float32).reshape(len(rows), 4),
                scores=np.array([row["score"] for row in rows], np.float32),
                classes=np.array([row["class"] for row in rows], np.int64),
                names=_names_of(rows) if names is None else tuple(names),
                width=int(record["width"]),
                height=int(record["height"]),
                path=path,
            )
        except (KeyError, TypeError, ValueError) as error:
            raise DataError(
                f"this is no record of a result: {type(error).__name__} {error}",
                allowed='{"path", "width", "height", "boxes": [{"box", "score", "class", "name"}]}',
            ) from error

    def to_supervision(self) -> supervision.Detections:
        """The same boxes for the `supervision` library; raises `MissingExtraError` where it is not installed."""
        try:
            import supervision
        except ImportError as error:
            raise MissingExtraError("supervision") from error
        return supervision.Detections(
            xyxy=self.boxes.copy(),
            confidence=self.scores.copy(),
            class_id=self.classes.copy(),
            data={"class_name": np.array([self.names[index] for index in self.classes.tolist()], dtype=str)},
        )

    def _read_again(self) -> UInt8[np.ndarray, "h w 3"]:
        if self.path is None:
            raise ImageError(
                "this result has no picture to draw on",
                allowed="results of a prediction, or records whose 'path' is still there",
            )
        image = load_image(self.path)
        if image.shape[:2] != (self.height, self.width):
            raise ImageError(
                f"{self.path} is {image.shape[1]} x {image.shape[0]} now, it was {self.width} x {self.height}",
                fix="predict again: the boxes belong to another picture",
            )
        return image


def _names_of(rows: Sequence[Mapping[str, Any]]) -> tuple[str, ...]:
    known = {int(row["class"]): str(row["name"]) for row in rows}
    return tuple(known.get(index, str(index)) for index in range(max(known, default=-1) + 1))
