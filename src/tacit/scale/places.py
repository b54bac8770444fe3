"""Where photographs and lists of them are: paths of this machine, and URLs that fsspec understands."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, TypeVar

import fsspec
from fsspec.implementations.local import LocalFileSystem

from tacit.errors import ConfigError, DataError, TacitError

T = TypeVar("T")


def is_url(place: str) -> bool:
    """Whether fsspec has to find it."""
    return "://" in place


def file_system(url: str) -> tuple[Any, str]:
    """The file system behind a URL, and the path within it. Raises ConfigError for one that is not there."""
    try:
        found, path = fsspec.core.url_to_fs(url)
    except ImportError as error:  # such as s3fs; fsspec says which
        raise ConfigError(f"{url} cannot be read here: {error}", fix="pip install what it names") from error
    except ValueError as error:
        raise ConfigError(
            f"{url} cannot be read: {error}", allowed="paths, and URLs such as s3://bucket/folder"
        ) from error
    return found, str(path)


def local(place: str) -> Path | None:
    """The path on this machine that `place` is, `file://` too; None for what lies elsewhere. Raises ConfigError."""
    if not is_url(place):
        return Path(place)
    found, path = file_system(place)
    return Path(path) if isinstance(found, LocalFileSystem) else None


def beside(place: str, name: str) -> str:
    """`name` as it is meant in the list at `place`: relative ones are beside it."""
    if is_url(name) or name.startswith("/") or Path(name).is_absolute():
        return name
    return f"{place.rpartition('/')[0]}/{name}" if is_url(place) else str(Path(place).parent / name)


def attempt(call: Callable[[], T], place: str) -> T:
    """What `call` gives; whatever a file system's own library raises becomes a DataError about `place`.

    Each has exceptions of its own, which only a future can hold without knowing them.
    """
    with ThreadPoolExecutor(1) as thread:
        future = thread.submit(call)
    error = future.exception()
    if error is None:
        return future.result()
    raise error if isinstance(error, TacitError) else DataError(f"{place} cannot be read: {told(error)}") from error


def told(error: BaseException) -> str:
    """The first line of what an error says, with its kind."""
    if isinstance(error, FileNotFoundError):
        return "it is not there"
    return f"{type(error).__name__}: {error}".partition("\n")[0].removesuffix(": ")
