"""VOC XML: one file a photograph, in `Annotations` or `annotations`, or beside the photographs.

Photographs are in `JPEGImages`, `images` or beside; `ImageSets/Main/{split}.txt` names the splits, or folders
`train`, `valid`, `test` do, or there is one split "all". Classes are the names found in all the files, sorted.

Corners are taken as 0-based edges, as LabelImg, CVAT and Roboflow write them. Pascal VOC itself counts pixels from 1,
the last one included: files whose source says "The VOC... Database" are read so, one pixel further out.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from tacit.data.folders import escapes, find_file, photographs
from tacit.data.images import SUFFIXES
from tacit.data.intake import BoxLabel, Intake, Splits
from tacit.data.sample import Dataset, Fault
from tacit.data.xml_lines import Element, load_xml
from tacit.errors import DataError

_FOLDERS = ("Annotations", "annotations")
_PASCAL = "The VOC"
_ROOT_TAG = b"<annotation"


@dataclass(frozen=True)
class _Split:
    """The XML files of one split, where their photographs may be, and the photographs that have none."""

    files: tuple[Path, ...]
    folders: tuple[Path, ...]
    unlabelled: tuple[Path, ...] = ()
    faults: tuple[Fault, ...] = ()  # of the list of names


def splits(path: Path) -> Splits:
    """What VOC files there are at `path`, by split; empty when there is none."""
    found = _found(path) if path.is_dir() else {}
    files = tuple(sorted({file for split in found.values() for file in split.files}))
    return {name: partial(_read, path, name, split, files) for name, split in found.items()}


def _found(path: Path) -> dict[str, _Split]:
    for labels in (*(path / name for name in _FOLDERS), path):
        if _has_voc(labels):
            home = labels.parent if labels.name in _FOLDERS else labels
            folders = (*(home / name for name in ("JPEGImages", "images", "Images", "")), labels)
            return _image_sets(home, labels, folders) or {"all": _whole(labels, folders)}
    return {folder.name: _whole(folder, (folder,)) for folder in sorted(path.glob("*")) if _has_voc(folder)}


def _has_voc(folder: Path) -> bool:
    file = next(iter(sorted(folder.glob("*.xml"))), None)
    if file is None or not file.is_file():
        return False
    return folder.name in _FOLDERS or _ROOT_TAG in file.read_bytes()


def _whole(labels: Path, folders: tuple[Path, ...]) -> _Split:
    files = tuple(sorted(labels.glob("*.xml")))
    stems = {file.stem for file in files}
    home = next(folder for folder in folders if folder.is_dir())
    return _Split(
        files, folders, tuple(photo for photo in photographs(home) if photo.parent == home and photo.stem not in stems)
    )


def _image_sets(home: Path, labels: Path, folders: tuple[Path, ...]) -> dict[str, _Split]:
    sets = {}
    for listing in sorted((home / "ImageSets" / "Main").glob("*.txt")):
        names = listing.read_text(encoding="utf-8", errors="replace").splitlines()
        if names and all(len(name.split()) <= 1 for name in names):  # `cat_train.txt` has a flag behind each name
            sets[listing.stem] = _listed(listing, names, labels, folders)
    return sets


def _listed(listing: Path, names: list[str], labels: Path, folders: tuple[Path, ...]) -> _Split:
    files, unlabelled, faults, before = [], [], [], set[str]()
    for line, name in ((i, name.strip()) for i, name in enumerate(names, start=1) if name.strip()):
        where, photo = f"{listing}:{line}", None if escapes(name) else _by_stem(folders, name)
        if name in before:
            faults.append(Fault(where, f"{name!r} is listed before, counted once", "nothing"))
        elif not escapes(name) and (labels / f"{name}.xml").is_file():
            files.append(labels / f"{name}.xml")
        elif photo:
            unlabelled.append(photo)
        else:
            faults.append(Fault(where, f"{name!r} has neither labels nor a photograph", "image"))
        before.add(name)
    return _Split(tuple(files), folders, tuple(unlabelled), tuple(faults))


def _by_stem(folders: tuple[Path, ...], stem: str) -> Path | None:
    found = (find_file(folders, stem + suffix) for suffix in sorted(SUFFIXES))
    return next((path for path in found if path), None)


def _read(root: Path, name: str, split: _Split, files: tuple[Path, ...], _min_score: float) -> Dataset:
    reading = _Reading(split.folders)
    trees = dict(reading.parse(files, report=frozenset(split.files)))
    objects = (item for tree in trees.values() for item in tree.find_all("object"))
    classes = sorted({item.text_of("name") for item in objects} - {""})
    reading.index = {name: i for i, name in enumerate(classes)}
    reading.intake.faults.extend(split.faults)
    for file in split.files:
        if file in trees:
            reading.labelled(file, trees[file])
    for photo in split.unlabelled:
        reading.unlabelled(photo)
    return reading.intake.dataset(root, "VOC", name, dict(enumerate(classes, start=1)))


@dataclass
class _Reading:
    folders: tuple[Path, ...]
    intake: Intake = field(default_factory=Intake)
    index: dict[str, int] = field(default_factory=dict)
    used: dict[Path, Path] = field(default_factory=dict)  # photograph: its XML file

    def parse(self, files: tuple[Path, ...], report: frozenset[Path]) -> Iterator[tuple[Path, Element]]:
        """The trees of all files; the broken ones among `report` are noted."""
        for file in files:
            try:
                yield file, load_xml(file)
            except DataError as error:
                if file in report:
                    line, _, reason = error.wrong.removeprefix(str(file)).partition(" ")
                    self.intake.fault(f"{file}{line}", reason, "image")

    def labelled(self, file: Path, tree: Element) -> None:
        photo = self._photograph(file, tree)
        header = self.intake.photograph(photo) if photo else None
        if photo is None or header is None:
            return
        labels = [label for item in tree.find_all("object") if (label := self._label(file, tree, item))]
        self.used[photo] = file
        number = len(self.intake.samples) + 1
        self.intake.add(photo, header, number, labels, lambda line: f"{file}:{line}", _stated_size(tree))

    def unlabelled(self, photo: Path) -> None:
        header = None if photo in self.used else self.intake.photograph(photo)
        if header is not None:
            self.intake.add(photo, header, len(self.intake.samples) + 1, (), str)

    def _photograph(self, file: Path, tree: Element) -> Path | None:
        """The photograph that the file names, or the one that is called like the file."""
        element = tree.find("filename")
        where, name = f"{file}:{element.line if element else tree.line}", tree.text_of("filename")
        if escapes(name):
            self.intake.fault(where, f"{name!r} leads out of the dataset", "image")
            return None
        photo = (find_file(self.folders, name) if name else None) or _by_stem(self.folders, file.stem)
        if photo is None:
            self.intake.fault(where, f"the image {name!r} is missing", "image")
        elif photo in self.used:
            self.intake.fault(where, f"{name!r} is already labelled by {self.used[photo].name}", "label")
            return None
        return photo

    def _label(self, file: Path, tree: Element, item: Element) -> BoxLabel | None:
        name, box = item.text_of("name"), item.find("bndbox")
        if not name or box is None:
            self.intake.fault(f"{file}:{item.line}", "object without a name or a bndbox, left out", "label")
            return None
        x0, y0, x1, y1 = (_number(box.text_of(key)) for key in ("xmin", "ymin", "xmax", "ymax"))
        first = 1.0 if tree.text_of("source", "database").startswith(_PASCAL) else 0.0
        return BoxLabel((x0 - first, y0 - first, x1, y1), self.index[name], box.line, name)


def _stated_size(tree: Element) -> tuple[int, int] | None:
    width, height = (_number(tree.text_of("size", key)) for key in ("width", "height"))
    return (int(width), int(height)) if width > 0 < height and math.isfinite(width + height) else None


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return math.nan
