"""Where every reader hands in what it found: labels are checked here once, and every fault is written down.

A box is left out when it is not finite, inverted, without area, of no pixel inside the picture; it is clipped when
a part lies inside. Overhangs up to `SLACK` pixels are rounding in the label file and are clipped without a note.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
from jaxtyping import Float64, Int64

from tacit.data.images import Header, image_header
from tacit.data.label import Label
from tacit.data.sample import Dataset, Fault, Sample
from tacit.data.turns import turn, turned
from tacit.errors import DataError, ImageError

# What a layout offers at a path: by split, how to read it, given the least score of a teacher's boxes.
Splits = dict[str, Callable[[float], Dataset]]
# What is known of a photograph beside its boxes, in a frame of (width, height), one row for each box as stated.
Beside = Callable[[int, int], Iterable[Label | None]]

SLACK = 1.0  # pixels; also the least side that clipping may leave
NO_SIDE = 0.01  # pixels; float32 cannot hold a narrower box in a large picture


@dataclass(frozen=True, slots=True)
class BoxLabel:
    """One box as a file states it: xyxy in pixels, and `place`, its line or its position in the file's list."""

    box: tuple[float, float, float, float]
    class_index: int
    place: int
    name: str = ""  # what the file calls it, such as "annotation 17"
    crowd: bool = False
    area: float | None = None  # square pixels; the box's own when the file states none


@dataclass
class Intake:
    """Samples and faults as they come in, in the order of the source."""

    samples: list[Sample] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)

    def fault(self, where: str, reason: str, lost: str) -> None:
        self.faults.append(Fault(where, reason, lost))

    def photograph(self, path: Path) -> Header | None:
        """What the header of the photograph says, or None and a fault."""
        try:
            return image_header(path)
        except ImageError as error:
            self.faults.append(Fault.of(path, error))
            return None

    def add(
        self,
        path: Path,
        header: Header,
        number: int,
        labels: Sequence[BoxLabel],
        locate: Callable[[int], str],
        stated_size: tuple[int, int] | None = None,
        beside: Beside | None = None,
        *,
        boxed: bool = True,
    ) -> None:
        """One photograph with its labels; `stated_size` is the (width, height) that the labels say they refer to.

        `beside` is asked only for a frame that the photograph truly has, which bounds what it may allocate.
        """
        shown = (header.width, header.height)
        frame = shown if stated_size is None or not labels else stated_size
        if frame not in {shown, header.stored_size}:
            self.fault(str(path), f"is {_by(shown)}, but its labels are for {_by(frame)}", "image")
            return
        rows, boxes = self._checked(labels, locate, frame)
        others = [label.kept(rows) for label in (beside(*frame) if beside else ()) if label is not None]
        if header.orientation > 1 and labels:
            self._note_turn(path, header, frame, sure=stated_size is not None)
        if frame != shown:
            move = turn(header.orientation, *header.stored_size)
            boxes = turned(boxes, move)
            others = [moved for label in others if (moved := label.moved(move)) is not None]
        sample = _sample(path, header, number, [labels[row] for row in rows.tolist()], boxes)
        self.samples.append(replace(sample, labels={type(label): label for label in others}, boxed=boxed))

    def dataset(self, root: Path, kind: str, split: str, names: Mapping[int, str]) -> Dataset:
        """All that came in; `names` are the classes by the numbers that the source gives them, in order."""
        return Dataset(
            root=root,
            kind=kind,
            split=split,
            classes=tuple(names.values()),
            category_ids=tuple(names),
            samples=tuple(self.samples),
            faults=tuple(self.faults),
        )

    def _checked(
        self, labels: Sequence[BoxLabel], locate: Callable[[int], str], frame: tuple[int, int]
    ) -> tuple[Int64[np.ndarray, " n"], Float64[np.ndarray, "n 4"]]:
        """The rows of the labels that can stay, and their boxes."""
        boxes = np.array([label.box for label in labels], dtype=np.float64).reshape(-1, 4)
        clipped, kind = _judge(boxes, *frame)
        for i in np.flatnonzero(kind).tolist():
            reason, lost = _VERDICTS[kind[i]]
            name = f"{labels[i].name}: " if labels[i].name else ""
            box = ", ".join(f"{value:g}" for value in boxes[i])
            self.fault(locate(labels[i].place), f"{name}box [{box}] {reason} ({_by(frame)} image)", lost)
        rows = np.array([i for i in range(len(labels)) if _VERDICTS[kind[i]][1] == "nothing"], np.int64)
        return rows, clipped[rows]

    def _note_turn(self, path: Path, header: Header, frame: tuple[int, int], *, sure: bool) -> None:
        """Where both readings fit the stated size, labels are taken to be for the picture as shown."""
        shown = (header.width, header.height)
        turn = f"has EXIF orientation {header.orientation}"
        if frame != shown:
            self.fault(str(path), f"{turn}; its labels are for the unturned file and were turned with it", "nothing")
        elif not sure or shown == header.stored_size:
            self.fault(str(path), f"{turn}; its labels do not say so and are taken for the image as shown", "nothing")


def require_distinct(file: Path, names: Mapping[int, str]) -> None:
    """Raises DataError when two classes have one name, which can stand for one alone: figures would be wrong."""
    twice = [name for name, count in Counter(names.values()).items() if count > 1]
    if twice:
        numbers = sorted(number for number, name in names.items() if name == twice[0])
        raise DataError(
            f"{file} names {len(numbers)} classes {twice[0]!r}", allowed="a name of its own for each class",
            fix=f"rename or merge the classes {', '.join(map(str, numbers))}",
        )  # fmt: skip


_VERDICTS = (
    ("is right", "nothing"),
    ("has a coordinate that is no finite number, left out", "label"),
    ("is inverted, left out", "label"),
    ("has no area, left out", "label"),
    ("lies outside, left out", "label"),
    ("reaches outside, clipped", "nothing"),
)


def _judge(
    boxes: Float64[np.ndarray, "n 4"], width: int, height: int
) -> tuple[Float64[np.ndarray, "n 4"], Int64[np.ndarray, " n"]]:
    """The boxes clipped to the picture, and for each the row of `_VERDICTS` that it gets."""
    finite = np.isfinite(boxes).all(axis=1)
    boxes = np.where(finite[:, None], boxes, 0.0)
    clipped = np.clip(boxes, 0.0, (width, height, width, height))
    side = (boxes[:, 2:] - boxes[:, :2]).min(axis=1, initial=np.inf)
    left = (clipped[:, 2:] - clipped[:, :2]).min(axis=1, initial=np.inf)
    over = np.abs(boxes - clipped).max(axis=1, initial=0.0) > SLACK
    gone = (left < NO_SIDE) | (over & (left < SLACK))
    verdict = np.select([~finite, side < 0, side < NO_SIDE, gone, over], [1, 2, 3, 4, 5], 0)
    return clipped, verdict.astype(np.int64)


def _sample(
    path: Path, header: Header, number: int, labels: Sequence[BoxLabel], boxes: Float64[np.ndarray, "n 4"]
) -> Sample:
    own = (boxes[:, 2] - boxes[:, 0]) * (boxes[:, 3] - boxes[:, 1])
    stated = np.array([np.inf if label.area is None else label.area for label in labels], dtype=np.float64)
    area = np.where(stated > 0, np.minimum(stated, own), own)  # clipping takes its part of the area too
    return Sample(
        path=path,
        width=header.width,
        height=header.height,
        id=number,
        boxes=boxes.astype(np.float32),
        classes=np.array([label.class_index for label in labels], dtype=np.int64),
        crowd=np.array([label.crowd for label in labels], dtype=np.bool_),
        area=area.astype(np.float32),
    )


def _by(size: tuple[int, int]) -> str:
    return f"{size[0]} x {size[1]}"
