"""YOLO txt: a `data.yaml` of class names and splits, and beside every photograph a file of one line a box.

`train`, `val` and `test` name a folder, a file that lists photographs, or a list of these. The labels of
`.../images/a/b.jpg` stand in `.../labels/a/b.txt`, or beside the photograph where no folder is called images.
A line is `class cx cy w h` in fractions of the photograph as shown, with a sixth number a teacher's score; or a class
and a polygon, a mask with the box around it; or a box and keypoints, `x y` or `x y visible` each, where the `data.yaml`
has a `kpt_shape`. No file, or an empty one, makes the photograph a background.
"""

from __future__ import annotations

import os.path
import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path

from tacit.data.data_yaml import DataYaml, load_data_yaml
from tacit.data.folders import is_there, photographs
from tacit.data.images import SUFFIXES
from tacit.data.intake import BoxLabel, Intake, Splits
from tacit.data.masks import MaskLabels
from tacit.data.sample import Dataset, Fault
from tacit.data.yolo_labels import YoloLabels
from tacit.data.yolo_line import Line, numbers, parse
from tacit.errors import DataError

_PARENTS = re.compile(r"^(\.\./)+")


def splits(path: Path) -> Splits:
    """What the `data.yaml` at `path` names, by split; empty when there is none. Raises DataError when it is faulty."""
    config = load_data_yaml(path)
    if config is None:
        return {}
    entries = config.splits or _by_folder(config.file.parent / "images")
    return {name: partial(_read, config, name, places) for name, places in entries.items()}


def _by_folder(images: Path) -> dict[str, tuple[str, ...]]:
    """What a `data.yaml` without paths means: the folders in `images`, or that folder as a whole."""
    names = [name for name in ("train", "val", "valid", "test") if (images / name).is_dir()]
    return {name: (f"images/{name}",) for name in names} or {"all": ("images",)}


def label_file(photograph: Path) -> Path:
    """Where the labels of a photograph stand: the last folder called images becomes labels, or else beside it."""
    parts = list(photograph.parts)
    at = [i for i, part in enumerate(parts[:-1]) if part == "images"]
    if at:
        parts[at[-1]] = "labels"
    apart, beside = Path(*parts).with_suffix(".txt"), photograph.with_suffix(".txt")
    return beside if beside.is_file() and not apart.is_file() else apart


def _read(config: DataYaml, split: str, entries: tuple[str, ...], min_score: float) -> Dataset:
    reading = _Reading(config, min_score)
    reading.read(entries)
    return reading.intake.dataset(config.file.parent, "YOLO", split, config.names)


@dataclass
class _Reading:
    config: DataYaml
    min_score: float
    intake: Intake = field(default_factory=Intake)
    orphans: set[Path] = field(default_factory=set)
    empty: set[int] = field(default_factory=set)  # photographs without a line

    def read(self, entries: tuple[str, ...]) -> None:
        self._index = {number: i for i, number in enumerate(self.config.names)}
        seen: set[str] = set()
        for where, photo in (found for entry in entries for found in self._photographs(entry)):
            name = os.path.abspath(photo)  # noqa: PTH100  follows no links: who links a photograph twice means it
            if name in seen:
                self.intake.fault(where, f"the image {photo.name!r} is in the split already, counted once", "nothing")
            else:
                seen.add(name)
                self._photograph(len(seen), photo)
        self._backgrounds()

    def _photographs(self, entry: str) -> Iterator[tuple[str, Path]]:
        """(where it is named, the photograph)."""
        place = _resolve(entry, self.config.bases)
        if place is None:
            raise DataError(
                f"{self.config.file} names {entry!r}, which is not there", allowed="a folder or a list of photographs",
                fix="correct the path in it",
            )  # fmt: skip
        if place.is_dir():
            found = photographs(place)
            self._orphans(place, found)
            yield from ((str(photo), photo) for photo in found)
        elif place.suffix.lower() in SUFFIXES:
            yield str(place), place
        else:
            yield from self._listed(place)

    def _orphans(self, folder: Path, found: list[Path]) -> None:
        """Label files without a photograph."""
        labels = label_file(folder / "_").parent
        known = self.orphans.union(map(label_file, found))
        for file in sorted(labels.rglob("*.txt")):
            if file not in known and self._holds_labels(file):
                self.orphans.add(file)
                self.intake.fault(str(file), "has no photograph", "label")

    def _holds_labels(self, file: Path) -> bool:
        """Whether the first line reads like a label, as that of a README or of a list of classes does not."""
        with file.open(encoding="utf-8", errors="replace") as opened:
            return len(numbers(opened.readline())) >= 5

    def _listed(self, listing: Path) -> Iterator[tuple[str, Path]]:
        bases = (listing.parent, *self.config.bases)
        for number, line in _lines(listing):
            where, photo = f"{listing}:{number}", _resolve(line, bases)
            if photo is None:
                self.intake.fault(where, f"the image {line!r} is missing", "image")
            else:
                yield where, photo

    def _photograph(self, number: int, photo: Path) -> None:
        header = self.intake.photograph(photo)
        if header is None:
            return
        file = label_file(photo)
        try:
            lines = list(_lines(file)) if file.is_file() else []
        except DataError as error:  # a photograph whose labels are unknown is no background
            self.intake.faults.append(Fault.of(file, error))
            return
        found = [(place, line) for place, text in lines if (line := self._line(file, place, text))]
        size = (header.width, header.height)
        labels = [BoxLabel(line.scaled(*size), self._index[line.number], place) for place, line in found]
        marks = YoloLabels(file, [line for _, line in found], labels, self.config, self.intake)
        self.intake.add(photo, header, number, labels, lambda place: f"{file}:{place}", beside=marks.labels)
        if not lines:
            self.empty.add(number)

    def _line(self, file: Path, place: int, text: str) -> Line | None:
        try:
            line = parse(text, self._index, self.config.points)
        except DataError as error:
            self.intake.fault(f"{file}:{place}", f"{error.wrong}: {text[:60]!r}, left out", "label")
            return None
        return line if line.score >= self.min_score else None

    def _backgrounds(self) -> None:
        """Where objects have masks, a photograph without any object shows that it has none."""
        samples = self.intake.samples
        if any(sample.label(MaskLabels) for sample in samples):
            nothing = MaskLabels((), None)
            self.intake.samples = [
                replace(sample, labels={**sample.labels, MaskLabels: nothing}) if sample.id in self.empty else sample
                for sample in samples
            ]


def _lines(file: Path) -> Iterator[tuple[int, str]]:
    """(line number, text) of the lines that are not blank. Raises DataError."""
    try:
        text = file.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f"{file} cannot be read as text", allowed="UTF-8", fix="export it again") from error
    return ((i, line.strip()) for i, line in enumerate(text.splitlines(), start=1) if line.strip())


def _resolve(name: str, bases: tuple[Path, ...]) -> Path | None:
    """Where `name` is. Exports from Roboflow say `../train/images` for a folder beside the file: that is met first."""
    names = (_PARENTS.sub("", name), name)
    return next((base / text for text in names for base in bases if is_there(base / text)), None)
