"""One photograph and what is known of it, on disk (`Sample`) and in memory (`Scene`)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

import numpy as np
from jaxtyping import Bool, Float32, Int64, UInt8

from tacit.data.label import Label
from tacit.errors import TacitError

L = TypeVar("L", bound=Label)
Labels = Mapping[type[Label], Label]


@dataclass(frozen=True)
class Fault:
    """Something wrong in a dataset: where it stands (`file` or `file:line`), why, and what was left out for it."""

    where: str
    reason: str
    lost: str  # "image" or "label" or "nothing"

    @classmethod
    def of(cls, path: Path, error: TacitError, lost: str = "image") -> Fault:
        """What `error` says of the file at `path`, which its message need not name again."""
        return cls(str(path), error.wrong.removeprefix(str(path)).strip(), lost)

    def __str__(self) -> str:
        return f"{self.where}: {self.reason}"

    def line(self) -> str:
        """For people: what was left out, or only a note where nothing was."""
        return f"{'note' if self.lost == 'nothing' else 'left out'}: {self}"


@dataclass(frozen=True, eq=False)
class Sample:
    """A photograph on disk with its labels.

    `width` and `height` are pixels of the photograph as shown (EXIF orientation applied); `boxes` are xyxy in those
    pixels; `crowd` marks boxes around uncounted groups, which are scored as COCO does and never trained on;
    `id` is the image's number in its source, `area` what the source counts as object area in square pixels. Further
    `labels` stand by their kind. Where the source does not label boxes at all, `boxed` is False: then no boxes does not
    mean that there is nothing.
    """

    path: Path
    width: int
    height: int
    id: int
    boxes: Float32[np.ndarray, "n 4"]
    classes: Int64[np.ndarray, " n"]
    crowd: Bool[np.ndarray, " n"]
    area: Float32[np.ndarray, " n"]
    labels: Labels = field(default_factory=dict)
    boxed: bool = True

    def label(self, kind: type[L]) -> L | None:
        """The label of that kind, if there is one."""
        return _label(self.labels, kind)


@dataclass(frozen=True, eq=False)
class Dataset:
    """Samples with one list of classes; `category_ids[i]` is the number that the source gives class i."""

    root: Path
    kind: str  # "COCO", "YOLO" or "VOC", for people
    split: str
    classes: tuple[str, ...]
    category_ids: tuple[int, ...]
    samples: tuple[Sample, ...]
    faults: tuple[Fault, ...]


@dataclass(frozen=True, eq=False)
class Scene:
    """A photograph in memory with its labels, as augmentation passes it on: RGB, boxes xyxy in its pixels."""

    image: UInt8[np.ndarray, "h w 3"]
    boxes: Float32[np.ndarray, "n 4"]
    classes: Int64[np.ndarray, " n"]
    labels: Labels = field(default_factory=dict)
    boxed: bool = True

    def label(self, kind: type[L]) -> L | None:
        """The label of that kind, if there is one."""
        return _label(self.labels, kind)


def _label(labels: Labels, kind: type[L]) -> L | None:
    found = labels.get(kind)
    assert found is None or isinstance(found, kind)
    return found
