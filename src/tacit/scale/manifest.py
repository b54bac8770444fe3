"""Lists of photographs in text files: a path or URL a line, JSON lines, CSV and TSV."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Iterable, Iterator
from typing import TextIO

import fsspec

from tacit.errors import DataError
from tacit.scale.places import beside

NAMES = ("path", "url", "image", "file_name", "file")
"""Columns and keys that are looked for where none is named."""
Reader = Callable[[TextIO, str, str], Iterator[tuple[int, str]]]


def listed(place: str, suffix: str, column: str) -> Iterator[str]:
    """The paths and URLs that the file names, relative ones as beside it.

    `suffix` (one of `MANIFESTS`) says how it is written, `column` where they stand, empty for the first of `NAMES`.
    Raises DataError with the line.
    """
    with fsspec.open(place, "rt", encoding="utf-8-sig", errors="surrogateescape", newline="") as file:
        for number, name in MANIFESTS[suffix](file, column, place):
            if not name or "\0" in name:
                raise DataError(f"{place}:{number} names no photograph")
            yield beside(place, name)


def _lines(file: Iterable[str], _column: str, _place: str) -> Iterator[tuple[int, str]]:
    for number, line in enumerate(file, 1):
        text = line.strip()
        if text and not text.startswith("#"):
            yield number, text


def _json_lines(file: Iterable[str], column: str, place: str) -> Iterator[tuple[int, str]]:
    for number, text in _lines(file, column, place):
        try:
            said = json.loads(text)
        except (ValueError, RecursionError) as error:
            raise DataError(f"{place}:{number} is no JSON: {error}") from error
        wanted = (column,) if column else NAMES
        name = next((said[key] for key in wanted if key in said), None) if isinstance(said, dict) else said
        if not isinstance(name, str):
            raise DataError(
                f"{place}:{number} names no photograph", allowed=f"a text, or one under {', '.join(wanted)}"
            )
        yield number, name


def _table(file: Iterable[str], column: str, place: str, *, delimiter: str = ",") -> Iterator[tuple[int, str]]:
    rows = csv.reader(file, delimiter=delimiter)
    try:
        header = next(rows, [])
        at = header.index(named(header, column, place))
        for row in rows:
            if row:
                yield rows.line_num, row[at] if at < len(row) else ""
    except csv.Error as error:
        raise DataError(f"{place}:{rows.line_num} is no CSV: {error}") from error


def named(columns: Iterable[str], column: str, place: str) -> str:
    """The column to read: the one that is asked for, else the first of `NAMES`, else the only one. Raises DataError."""
    there = list(columns)
    for name in (column,) if column else (*NAMES, *there[: len(there) == 1]):
        if name in there:
            return name
    wanted = f"column {column!r}" if column else "column of photographs"
    raise DataError(f"{place} has no {wanted}", allowed=", ".join(there) or "a header", fix="name one: --column NAME")


def _tabs(file: Iterable[str], column: str, place: str) -> Iterator[tuple[int, str]]:
    return _table(file, column, place, delimiter="\t")


MANIFESTS: dict[str, Reader] = {
    ".txt": _lines, ".lst": _lines, ".jsonl": _json_lines, ".ndjson": _json_lines, ".csv": _table, ".tsv": _tabs,
}  # fmt: skip
