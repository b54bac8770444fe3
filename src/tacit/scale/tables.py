"""Parquet files with photographs in them: a column of paths and URLs, or of the pictures' bytes.

Bytes may also stand as `bytes` in a column of structs, as Hugging Face's `datasets` write pictures.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import fsspec
import pyarrow as pa
from pyarrow import parquet

from tacit.errors import DataError
from tacit.scale.manifest import named
from tacit.scale.places import beside

SUFFIX = ".parquet"
READ_AT_ONCE = 16  # rows, each of which may be a photograph of megabytes
BUFFER = 2**20  # bytes; without one a whole column of a row group is read at once


@dataclass(frozen=True)
class Column:
    """Where the photographs stand: `parts` leads to it."""

    parts: tuple[str, ...]
    bytes_: bool


def rows_with_bytes(place: str, column: str) -> int | None:
    """How many photographs the file holds itself; None where it only names them. Raises DataError."""
    with _opened(place) as file:
        return int(file.metadata.num_rows) if _chosen(file.schema_arrow, column, place).bytes_ else None


def listed(place: str, column: str) -> Iterator[str]:
    """The paths and URLs that the file names, relative ones as beside it. Raises DataError."""
    with _opened(place) as file:
        chosen = _chosen(file.schema_arrow, column, place)
        for batch in file.iter_batches(columns=[".".join(chosen.parts)]):
            for name in _values(batch, chosen):
                if not isinstance(name, str) or not name:
                    raise DataError(f"{place} has a row that names no photograph")
                yield beside(place, name)


def contents(place: str, rows: Sequence[int], column: str) -> Iterator[bytes]:
    """The bytes in these rows, which ascend; empty where there are none. Raises DataError."""
    first = 0
    with _opened(place) as file:
        chosen = _chosen(file.schema_arrow, column, place)
        for group in range(file.num_row_groups):
            behind = first + file.metadata.row_group(group).num_rows
            yield from _of_group(file, group, chosen, [row - first for row in rows if first <= row < behind])
            first = behind


def _of_group(file: parquet.ParquetFile, group: int, column: Column, rows: Sequence[int]) -> Iterator[bytes]:
    if not rows:
        return
    first, path = 0, [".".join(column.parts)]
    for batch in file.iter_batches(READ_AT_ONCE, row_groups=[group], columns=path):
        behind = first + batch.num_rows
        here = pa.array([row - first for row in rows if first <= row < behind], pa.int64())
        yield from (value if isinstance(value, bytes) else b"" for value in _values(batch.take(here), column))
        first = behind
        if first > rows[-1]:
            return


def _values(batch: pa.RecordBatch, column: Column) -> Iterator[str | bytes | None]:
    for value in batch.column(column.parts[0]):
        plain = value.as_py()
        yield plain if len(column.parts) == 1 or plain is None else plain[column.parts[1]]


def _chosen(schema: pa.Schema, column: str, place: str) -> Column:
    fitting = {field.name: found for field in schema if (found := _column(field))}
    return fitting[named(fitting, column, place)]


def _column(field: pa.Field) -> Column | None:
    kind = field.type
    if pa.types.is_struct(kind) and kind.get_field_index("bytes") >= 0:
        return Column((field.name, "bytes"), bytes_=True)
    if pa.types.is_binary(kind) or pa.types.is_large_binary(kind):
        return Column((field.name,), bytes_=True)
    return Column((field.name,), bytes_=False) if pa.types.is_string(kind) or pa.types.is_large_string(kind) else None


@contextmanager
def _opened(place: str) -> Iterator[parquet.ParquetFile]:
    try:
        with fsspec.open(place, "rb") as file, parquet.ParquetFile(file, buffer_size=BUFFER) as table:
            yield table
    except pa.ArrowException as error:
        raise DataError(f"{place} is no sound Parquet file: {str(error).partition(chr(10))[0]}") from error
