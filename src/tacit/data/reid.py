"""Photographs that show one individual each, as re-identification collects them; the whole photograph is its box.

Two forms. Numbered files: `0002_c1s1_000451_03.jpg` is individual 2 before camera 1, as in Market-1501, DukeMTMC and
VeRi; there 0000 is somebody whom nobody looks for and -1 a cut-out of nobody. Or a folder called `identities`: in it a
folder for each individual, `identities/rex/1.jpg`, or files with its name before the last underscore,
`identities/rex_1.jpg`.

Either may stand below the folder of a split: train, val, test; query and gallery together are test, and Market-1501's
bounding_box_train and bounding_box_test are train and test. Without splits a fifth of the individuals is held out, by a
hash of their names, so that nobody is learnt who is asked for later.
"""

from __future__ import annotations

import re
import zlib
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np

from tacit.data.folders import photographs
from tacit.data.identities import UNKNOWN, IdentityLabels, Shot, number_of
from tacit.data.images import SUFFIXES
from tacit.data.intake import BoxLabel, Intake, Splits
from tacit.data.sample import Dataset
from tacit.errors import DataError

FOLDER = "identities"
HELD_OUT = 5  # one individual in so many
_NUMBERED = re.compile(r"(?P<name>-?\d{1,18})_(?P<camera>c\d{1,9})(?!\d)")
_DISTRACTOR, _JUNK = "0000", "-1"
_SPLITS = {
    "bounding_box_train": "train",
    "bounding_box_test": "test",
    "query": "test",
    "gallery": "test",
    "train": "train",
    "val": "val",
    "valid": "val",
    "test": "test",
}


@dataclass(frozen=True)
class _Photo:
    """A photograph and the name of its individual: None where its file name says none, empty where it is nobody."""

    path: Path
    name: str | None
    camera: str = ""


def splits(path: Path) -> Splits:
    """What there is of individuals at `path`, by split; empty when there is nothing of the kind."""
    if not path.is_dir():
        return {}
    homes = defaultdict[str, list[Path]](list)
    for folder, split in _SPLITS.items():
        if home := _home(path / folder):
            homes[split].append(home)
    if homes:
        return {split: partial(_read, path, split, tuple(found)) for split, found in homes.items()}
    return _held_out(path, home) if (home := _home(path)) else {}


def _home(folder: Path) -> Path | None:
    """Where the photographs or the individuals' folders lie."""
    if not folder.is_dir():
        return None
    if (folder / FOLDER).is_dir():
        return folder / FOLDER
    return folder if folder.name == FOLDER or any(_NUMBERED.match(photo.name) for photo in _files(folder)) else None


def _files(folder: Path) -> list[Path]:
    return sorted(path for path in folder.iterdir() if path.suffix.lower() in SUFFIXES and path.is_file())


def _held_out(path: Path, home: Path) -> Splits:
    """Individuals who are held out can be compared: they show in two photographs or more."""
    shown = _shown(_photos(home))
    names = sorted((name for name, count in shown.items() if count > 1), key=_hash)
    if len(names) < 2:
        return {"all": partial(_read, path, "all", (home,))}
    held = frozenset(names[: max(1, len(names) // HELD_OUT)])
    return {
        "train": partial(_read, path, "train", (home,), without=held),
        "val": partial(_read, path, "val", (home,), only=held),
    }


def _hash(name: str) -> tuple[int, str]:
    return zlib.crc32(name.encode(errors="surrogateescape")), name


def _photos(home: Path) -> Iterator[_Photo]:
    for path in _files(home):
        if found := _NUMBERED.match(path.name):
            name = {_DISTRACTOR: path.name, _JUNK: ""}.get(found["name"], found["name"])
            yield _Photo(path, name, found["camera"])
        else:
            name, mark, _ = path.stem.rpartition("_")
            yield _Photo(path, name if mark and name and home.name == FOLDER else None)
    if home.name == FOLDER:
        for folder in sorted(path for path in home.iterdir() if path.is_dir()):
            yield from (_Photo(path, folder.name) for path in photographs(folder))


def _shown(photos: Iterable[_Photo]) -> dict[str, int]:
    """How many photographs there are of each individual."""
    shown = defaultdict[str, int](int)
    for photo in photos:
        if photo.name:
            shown[photo.name] += 1
    return shown


def _read(
    root: Path,
    split: str,
    homes: tuple[Path, ...],
    _min_score: float,
    *,
    without: frozenset[str] = frozenset(),
    only: frozenset[str] | None = None,
) -> Dataset:
    photos = [photo for home in homes for photo in _photos(home)]
    if only is not None:
        photos = [photo for photo in photos if photo.name in only]
    photos = [photo for photo in photos if photo.name not in without]
    shown = _shown(photos)
    if max(shown.values(), default=0) < 2:
        raise DataError(
            f"{root} ({split}) has one photograph of each of {len(shown)} individuals: nothing to compare it with",
            allowed="two photographs or more of an individual", fix="add photographs, or leave out this source",
        )  # fmt: skip
    intake = _taken_in(root, photos, shown)
    numbered = any(photo.camera for photo in photos)
    return intake.dataset(root, "identities", split, {1: "person" if numbered else "object"})


def _taken_in(root: Path, photos: list[_Photo], shown: dict[str, int]) -> Intake:
    intake, several = Intake(), _several_cameras(photos)
    for photo in photos:
        where = str(photo.path)
        if photo.name is None:
            intake.fault(where, "its name says no individual, left out", "image")
        elif photo.name and shown[photo.name] == 1 and photo.name != photo.path.name:
            intake.fault(where, f"is the only photograph of {photo.name!r}: nothing to compare it with", "nothing")
        if photo.name:
            _add(intake, root, photo, several)
    return intake


def _several_cameras(photos: list[_Photo]) -> bool:
    """Whether cameras tell anything: somebody was before two of them."""
    pairs = {(photo.name, photo.camera) for photo in photos if photo.name}
    return len(pairs) > len({name for name, _ in pairs})


def _add(intake: Intake, root: Path, photo: _Photo, several_cameras: bool) -> None:
    header = intake.photograph(photo.path)
    if header is None:
        return
    number = UNKNOWN if photo.name is None else number_of(str(root), photo.name)
    shot = Shot(photo.camera) if several_cameras else None
    label = IdentityLabels(np.array([number], np.int64), shot=shot)
    whole = BoxLabel((0.0, 0.0, float(header.width), float(header.height)), 0, 0)
    intake.add(
        photo.path, header, len(intake.samples) + 1, [whole], str, beside=lambda _width, _height: [label], boxed=False
    )
