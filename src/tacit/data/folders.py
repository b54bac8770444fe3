"""Photographs in folders, and the file names that label files give them."""

from __future__ import annotations

import os.path
from collections.abc import Iterable
from pathlib import Path, PurePosixPath

from tacit.data.images import SUFFIXES


def photographs(folder: Path) -> list[Path]:
    """All picture files in `folder` and below, by their suffix, sorted."""
    return sorted(path for path in folder.rglob("*") if path.suffix.lower() in SUFFIXES and path.is_file())


def escapes(name: str) -> bool:
    """Whether a file name taken from a label file leads out of the dataset's folders."""
    path = PurePosixPath(name.replace("\\", "/"))
    return path.is_absolute() or Path(name).is_absolute() or ".." in path.parts


def find_file(folders: Iterable[Path], name: str) -> Path | None:
    """The first folder's entry of that name, symbolic links followed."""
    return next((folder / name for folder in folders if is_there(folder / name)), None)


def is_there(path: Path) -> bool:
    """Whether `path` is a folder or an ordinary file; no device, which never ends."""
    # os.path says no to names that are too long or hold a null byte, where Path.is_file raises
    return os.path.isfile(path) or os.path.isdir(path)  # noqa: PTH112, PTH113
