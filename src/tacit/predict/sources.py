"""From what a person names (files, folders, globs) to a list of image files."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from difflib import get_close_matches
from glob import glob, has_magic
from pathlib import Path

from tacit.data.images import SUFFIXES
from tacit.errors import DataError


@dataclass(frozen=True)
class Sources:
    """Image files in the order to take them, each once, and how many other files in the folders were left alone."""

    paths: tuple[Path, ...]
    ignored: int


def expand(sources: Iterable[str | Path], output: Path | None = None) -> Sources:
    """The image files that `sources` name, in their order; folders and globs sorted, folders with all below them.

    A file that is named itself is taken whatever its suffix, so that it is answered or found faulty by name. What
    stands below `output`, such as the drawings of an earlier run, is left out of the folders above it.
    Raises `DataError` for a source that is not there, a glob that matches nothing, or a folder without images.
    """
    paths: dict[Path, None] = {}
    ignored = 0
    for source in sources:
        for path in _named(source):
            found = _inside(path, output) if path.is_dir() else [path]
            images = [file for file in found if file is path or file.suffix.lower() in SUFFIXES]
            ignored += len(found) - len(images)
            if not images:
                raise DataError(
                    f"the folder {path} has no images in it",
                    allowed=f"files that end in {', '.join(sorted(SUFFIXES))}",
                )
            paths.update(dict.fromkeys(images))
    if not paths:
        raise DataError("no photograph was named", fix="name files, folders or globs, as in: tacit predict photos/")
    return Sources(tuple(paths), ignored)


def _named(source: str | Path) -> Iterator[Path]:
    if source == "":  # an unset variable of a shell, which Path would take for the current folder
        raise DataError("a source is empty", allowed="files, folders and globs")
    try:
        path = Path(source).expanduser()
    except RuntimeError as error:  # ~name/ of a user who is not there
        raise DataError(f"there is no home folder for {source}", fix="check the name behind ~") from error
    if path.exists():
        return iter([path])
    if not has_magic(str(path)):
        raise DataError(f"there is no file or folder {path}", fix=_near(path))
    matches = sorted(glob(str(path), recursive=True))
    if not matches:
        raise DataError(f"nothing matches {path}", allowed="globs such as 'photos/*.jpg' or 'photos/**/*.png'")
    return (Path(match) for match in matches)


def _inside(folder: Path, output: Path | None) -> list[Path]:
    """All files below `folder` but the hidden ones and those in `output`, where that is below too."""
    below = (path for path in folder.rglob("*") if path.is_file())
    seen = (path for path in below if not any(part.startswith(".") for part in path.relative_to(folder).parts))
    inner = None if output is None else _relative(output, folder)
    return sorted(path for path in seen if inner is None or not path.is_relative_to(folder / inner))


def _relative(path: Path, folder: Path) -> Path | None:
    """Where `path` is below `folder`; None where it is not."""
    inside, around = path.resolve(), folder.resolve()
    return inside.relative_to(around) if around in inside.parents else None


def _near(path: Path) -> str:
    siblings = [entry.name for entry in path.parent.iterdir()] if path.parent.is_dir() else []
    near = get_close_matches(path.name, siblings, n=1)
    return f"perhaps you mean {path.parent / near[0]}" if near else "check the spelling and the folder you are in"
