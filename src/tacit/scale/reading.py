"""From photographs of a shard to pixels, read ahead by threads; what cannot be read is a fault with its reason."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import groupby, islice
from pathlib import Path
from typing import TypeAlias

import fsspec
import numpy as np
from jaxtyping import UInt8

from tacit.data.images import MAX_BYTES, decode_image, load_image
from tacit.data.sample import Fault
from tacit.errors import ImageError, TacitError
from tacit.scale import tables
from tacit.scale.places import attempt, is_url, told
from tacit.scale.sources import Photograph

Image: TypeAlias = UInt8[np.ndarray, "_ _ 3"]
Reading: TypeAlias = Callable[[], Image]
READERS = 2


def read(
    photographs: Sequence[Photograph], column: str, batch: int
) -> Iterator[list[tuple[Photograph, Image | Fault]]]:
    """Groups of at most `batch`, in order; while one is used, threads read the next, and no further."""
    waiting = _readings(photographs, column)
    with ThreadPoolExecutor(READERS) as readers:

        def some() -> list[tuple[Photograph, Future[Image]]]:
            return [(photograph, readers.submit(reading)) for photograph, reading in islice(waiting, batch)]

        ahead = some()
        while ahead:
            group = [(photograph, _taken(photograph, future)) for photograph, future in ahead]
            ahead = some()
            yield group


def _taken(photograph: Photograph, future: Future[Image]) -> Image | Fault:
    """The picture, or why there is none: an object store's library may raise anything, and stops nothing."""
    error = future.exception()
    if error is None:
        return future.result()
    if isinstance(error, TacitError):
        reason = error.wrong.removeprefix(photograph.name).removeprefix(photograph.place).strip()
        return Fault(photograph.name, reason, "image")
    return Fault(photograph.name, f"cannot be read: {told(error)}", "image")


def _readings(photographs: Sequence[Photograph], column: str) -> Iterator[tuple[Photograph, Reading]]:
    """What a thread has to do for each; only rows of a table are fetched here, one after the other."""
    for (place, in_table), group in groupby(photographs, lambda one: (one.place, one.row is not None)):
        if in_table:
            yield from _rows(place, list(group), column)
        else:
            yield from ((photograph, _of_file(photograph.place)) for photograph in group)


def _of_file(place: str) -> Reading:
    return (lambda: decode_image(_fetched(place), place)) if is_url(place) else (lambda: load_image(Path(place)))


def _fetched(url: str) -> bytes:
    with fsspec.open(url, "rb") as file:
        content: bytes = file.read(MAX_BYTES + 1)
    if len(content) > MAX_BYTES:
        raise ImageError(f"{url} is too large for a photograph", allowed=f"at most {MAX_BYTES:,} bytes")
    return content


def _rows(place: str, photographs: list[Photograph], column: str) -> Iterator[tuple[Photograph, Reading]]:
    """The rows of one table; once it cannot be read any further, the rest have the reason."""
    contents = tables.contents(place, [photograph.row or 0 for photograph in photographs], column)
    for at, photograph in enumerate(photographs):
        try:
            content = attempt(lambda: next(contents, b""), place)
        except TacitError as error:
            yield from ((rest, _raising(error)) for rest in photographs[at:])
            return
        yield photograph, _decoding(content, photograph.name)


def _decoding(content: bytes, name: str) -> Reading:
    return lambda: decode_image(content, name)


def _raising(error: TacitError) -> Reading:
    def reading() -> Image:
        raise error

    return reading
