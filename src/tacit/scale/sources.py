"""From what a person names to photographs, each once: files, folders, globs, lists, Parquet, object stores."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from glob import has_magic
from itertools import islice
from pathlib import Path, PurePosixPath

from tacit.data.images import SUFFIXES
from tacit.errors import DataError
from tacit.predict.sources import expand
from tacit.scale import manifest, tables
from tacit.scale.places import attempt, file_system, is_url, local

SINGLE = SUFFIXES | {*manifest.MANIFESTS, tables.SUFFIX}  # a URL that ends so is no folder
PART = 10_000  # names that are read of a list at once


@dataclass(frozen=True, slots=True)
class Photograph:
    """One to answer: the file at a path or URL, or the bytes in a row of the Parquet file there."""

    place: str
    row: int | None = None

    @property
    def name(self) -> str:
        return self.place if self.row is None else f"{self.place}#{self.row}"


def photographs(sources: Sequence[str], column: str = "", output: Path | None = None) -> Iterator[Photograph]:
    """Each once, in the order of the sources; folders sorted, with all below them but what lies in `output`.

    Files that end like a list or a table are read for the photographs they name or hold, in `column` where there are
    several. Raises DataError for a source that is not there or has no photograph, and ConfigError for a URL of an
    unknown kind.
    """
    seen = set[Photograph]()
    for source in sources:
        for file in _files(source, output):
            for photograph in _in(file, column):
                if photograph not in seen:
                    seen.add(photograph)
                    yield photograph
    if not seen:
        raise DataError("no photograph was named", fix="name files, folders or globs, as in: tacit predict photos/")


def _files(source: str, output: Path | None) -> Iterator[str]:
    path = local(source)
    return map(str, expand([path if is_url(source) else source], output).paths) if path else iter(_far(source))


def _far(url: str) -> list[str]:
    """The files that a URL of another machine names: one, those in a folder, those that match a glob."""
    if PurePosixPath(url).suffix.lower() in SINGLE and not has_magic(url):
        return [url]
    system, path = file_system(url)
    found = attempt(lambda: sorted(system.glob(path) if has_magic(path) else system.find(path)), url)
    below = [name for name in found if not any(part.startswith(".") for part in PurePosixPath(name).parts)]
    wanted = SINGLE if has_magic(path) else SUFFIXES
    images = [str(system.unstrip_protocol(name)) for name in below if PurePosixPath(name).suffix.lower() in wanted]
    if not images:
        raise DataError(f"{url} has no images in it", allowed=f"files that end in {', '.join(sorted(SUFFIXES))}")
    return images


def _in(file: str, column: str) -> Iterator[Photograph]:
    suffix = PurePosixPath(file).suffix.lower()
    if suffix in manifest.MANIFESTS:
        yield from map(Photograph, _listed(file, suffix, column))
    elif suffix == tables.SUFFIX:
        held = attempt(lambda: tables.rows_with_bytes(file, column), file)
        if held is None:
            yield from map(Photograph, _listed(file, suffix, column))
        else:
            yield from (Photograph(file, row) for row in range(held))
    else:
        yield Photograph(file)


def _listed(file: str, suffix: str, column: str) -> Iterator[str]:
    """The names in a list or a table, taken in parts, so that what fails in reading is told as one sentence."""
    names = tables.listed(file, column) if suffix == tables.SUFFIX else manifest.listed(file, suffix, column)
    while part := attempt(lambda: list(islice(names, PART)), file):
        yield from part
