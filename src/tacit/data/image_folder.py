"""Folders of photographs, one a class: `cat/1.jpg`, `dog/a/2.jpg`, with or without `train`, `val`, `test` above them.

The class of a photograph is the first folder below the root or the split; it has no other. Classes are the folders of
all splits that hold a photograph, sorted.
"""

from __future__ import annotations

from functools import partial
from pathlib import Path

from tacit.data.folders import photographs
from tacit.data.images import SUFFIXES
from tacit.data.intake import Intake, Splits
from tacit.data.sample import Dataset
from tacit.data.tags import TagLabels, tagged
from tacit.errors import DataError

SPLITS = ("train", "training", "val", "valid", "validation", "dev", "test", "testing")
OTHER_LAYOUTS = frozenset({"images", "labels", "annotations", "jpegimages", "imagesets", "masks"})


def splits(path: Path) -> Splits:
    """The class folders at `path`, by split; empty when there are none."""
    if not path.is_dir():
        return {}
    above = [path / name for name in SPLITS if _classes(path / name)]
    homes = {home.name: home for home in above} or ({"all": path} if _classes(path) else {})
    return {name: partial(_read, path, name, tuple(homes.values()), home) for name, home in homes.items()}


def _classes(home: Path) -> tuple[str, ...]:
    """The folders with a photograph in them or below; none where their names tell of another layout."""
    folders = _folders(home)
    if any(folder.name.lower() in OTHER_LAYOUTS for folder in folders):
        return ()
    return tuple(folder.name for folder in folders if _holds_a_photograph(folder))


def _folders(home: Path) -> list[Path]:
    found = sorted(home.iterdir()) if home.is_dir() else []
    return [folder for folder in found if folder.is_dir() and not folder.name.startswith((".", "_"))]


def _holds_a_photograph(folder: Path) -> bool:
    return any(path.suffix.lower() in SUFFIXES and path.is_file() for path in folder.rglob("*"))


def _read(root: Path, split: str, homes: tuple[Path, ...], home: Path, _min_score: float) -> Dataset:
    names = tuple(sorted({name for other in homes for name in _classes(other)}))
    if len(names) < 2:
        raise DataError(
            f"{root} has photographs in one folder only, {names[0]!r}", allowed="two or more, one a class",
            fix="add a class, or name a label file",
        )  # fmt: skip
    intake = Intake()
    for folder in _folders(home):
        _class(intake, folder, TagLabels(frozenset({folder.name}), names, single=True))
    for photo in sorted(path for path in home.iterdir() if path.suffix.lower() in SUFFIXES and path.is_file()):
        intake.fault(str(photo), "lies in no class's folder, left out", "image")
    return intake.dataset(root, "image folder", split, {})


def _class(intake: Intake, folder: Path, tags: TagLabels) -> None:
    found = photographs(folder)
    if not found:
        intake.fault(str(folder), "the folder of a class without a photograph", "nothing")
    for photo in found:
        header = intake.photograph(photo)
        if header is not None:
            intake.samples.append(tagged(photo, header, len(intake.samples) + 1, tags))
