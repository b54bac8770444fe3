"""What one photograph gave back: a frozen record that every task, engine and writer speaks."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar

import numpy as np
from jaxtyping import Float32, Int64, UInt8
from PIL import Image

from tacit.atomic import replacing, unwritable
from tacit.data.images import load_image
from tacit.drawing import draw_boxes
from tacit.errors import DataError, ImageError, MissingExtraError

if TYPE_CHECKING:
    import supervision

DETECT = "detect"
"""The task whose answer the boxes are."""
PICTURE_SUFFIXES = (".jpg", ".jpeg", ".png", ".webp", ".bmp", ".tif", ".tiff")


class Answer(ABC):
    """What one task says of one photograph beside the boxes, in pixels of the photograph.

    What it says of single objects stands in rows, one for each box of the result, in the same order.
    """

    under: ClassVar[bool] = False
    """Drawn before the boxes, as areas are, and not over them, as points and words."""

    @abstractmethod
    def draw(self, picture: UInt8[np.ndarray, "h w 3"], result: Result) -> None:
        """Draws into `picture` (RGB, of the photograph's size, contiguous), which is changed; `result` has the answers
        that are drawn.
        """

    @abstractmethod
    def to_json(self) -> Any:
        """Plain Python values."""

    @abstractmethod
    def summary(self) -> str:
        """A few words for people; empty where there is nothing worth saying beside the boxes."""

    def supervised(self) -> dict[str, Any]:
        """What the `supervision` library's Detections can hold of it, by its name there (`mask`); else nothing."""
        return {}


A = TypeVar("A", bound=Answer)


@dataclass(frozen=True)
class Moment:
    """When in a film: the number of the frame from 0, and the seconds since the first."""

    frame: int
    seconds: float


@dataclass(frozen=True, eq=False, repr=False)
class Result:
    """The answers for one photograph, best score first.

    `boxes` are xyxy in pixels of the original image, `scores` lie in [0, 1], `classes` index `names`,
    `image` is RGB and may be absent (a result read from a file has no picture). What the tasks beside detection say
    stands in `answers`, by the name of the task.
    """

    boxes: Float32[np.ndarray, "n 4"]
    scores: Float32[np.ndarray, " n"]
    classes: Int64[np.ndarray, " n"]
    names: tuple[str, ...]
    width: int
    height: int
    path: Path | None = None
    image: UInt8[np.ndarray, "h w 3"] | None = None
    answers: Mapping[str, Answer] = field(default_factory=dict)
    moment: Moment | None = None
    """Of the film at `path`, which a photograph is not."""

    def first(self, task: str) -> Result:
        """The same with the answer of this task before the others: each of two of a kind is scored by its own."""
        own = {task: self.answers[task]} if task in self.answers else {}
        return replace(self, answers={**own, **self.answers})

    def answer(self, kind: type[A]) -> A | None:
        """The first answer of that kind, if there is one."""
        return next((answer for answer in self.answers.values() if isinstance(answer, kind)), None)

    def __len__(self) -> int:
        return len(self.boxes)

    def __repr__(self) -> str:
        where = f"{self.path.name!r}, " if self.path else ""
        return f"Result({where}{self.width} x {self.height}, {self.summary()})"

    def summary(self) -> str:
        """What was found, in a line for people: `2 x person, 1 x cat`, most frequent first."""
        counts = Counter(self.names[index] for index in self.classes.tolist())
        boxes = ", ".join(f"{count} x {name}" for name, count in counts.most_common())
        answers = "; ".join(text for text in (answer.summary() for answer in self.answers.values()) if text)
        return "; ".join(text for text in (boxes, answers) if text) or "nothing"

    def draw(self, only: Collection[str] | None = None) -> UInt8[np.ndarray, "h w 3"]:
        """A new RGB picture with the boxes and every other answer, on `image` or else on the file at `path`.

        `only` names the tasks to show, the boxes as "detect". Raises `ImageError` where there is no picture.
        """
        image = self._read_again() if self.image is None else self.image
        picture = np.ascontiguousarray(image).copy()
        shown = {name: answer for name, answer in self.answers.items() if only is None or name in only}
        seen = replace(self, answers=shown)
        for answer in shown.values():
            if answer.under:
                answer.draw(picture, seen)
        if only is None or DETECT in only:
            picture = draw_boxes(picture, self.boxes, self.classes, self.names, self.scores)
        for answer in shown.values():
            if not answer.under:
                answer.draw(picture, seen)
        return picture

    def save(self, path: str | Path, only: Collection[str] | None = None) -> Path:
        """Writes the drawn picture (see `draw`), makes the folders it needs, and returns the path.

        Raises `ImageError` when there is no picture to draw on or the name does not end like an image's.
        """
        target = Path(path)
        if target.suffix.lower() not in PICTURE_SUFFIXES:
            raise ImageError(
                f"a picture cannot be written as {target.name!r}",
                allowed=f"names that end in {', '.join(PICTURE_SUFFIXES)}",
                fix=f"save to {target.name + '.jpg'!r}",
            )
        picture = Image.fromarray(self.draw(only))
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            with replacing(target, durable=False) as file:
                picture.save(file, Image.registered_extensions()[target.suffix.lower()], quality=92)
        except OSError as error:
            raise unwritable(target, error) from error
        return target

    def to_dict(self) -> dict[str, Any]:
        """Plain Python values, ready for JSON; `from_dict` reads them back."""
        rows = zip(self.boxes.tolist(), self.scores.tolist(), self.classes.tolist(), strict=True)
        return {
            "path": None if self.path is None else str(self.path),
            **({} if self.moment is None else asdict(self.moment)),
            "width": self.width,
            "height": self.height,
            "boxes": [
                {"box": box, "score": score, "class": index, "name": self.names[index]} for box, score, index in rows
            ],
            **{name: answer.to_json() for name, answer in self.answers.items()},
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
                moment=Moment(int(record["frame"]), float(record["seconds"])) if "frame" in record else None,
            )
        except (KeyError, TypeError, ValueError) as error:
            raise DataError(
                f"this is no record of a result: {type(error).__name__} {error}",
                allowed='{"path", "width", "height", "boxes": [{"box", "score", "class", "name"}]}',
            ) from error

    def to_supervision(self) -> supervision.Detections:
        """The same boxes, and masks where there are some, for the `supervision` library.

        Raises `MissingExtraError` where it is not installed.
        """
        try:
            import supervision
        except ImportError as error:
            raise MissingExtraError("supervision") from error
        return supervision.Detections(
            xyxy=self.boxes.copy(),
            confidence=self.scores.copy(),
            class_id=self.classes.copy(),
            data={"class_name": np.array([self.names[index] for index in self.classes.tolist()], dtype=str)},
            **{name: value for answer in self.answers.values() for name, value in answer.supervised().items()},
        )

    def _read_again(self) -> UInt8[np.ndarray, "h w 3"]:
        if self.path is None or self.moment is not None:
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
