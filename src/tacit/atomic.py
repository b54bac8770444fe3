"""Files that are replaced as a whole: after a crash or a power cut the old one or the new one is there, never half."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from tacit.errors import TacitError


@contextmanager
def replacing(path: Path, *, durable: bool = True) -> Iterator[BinaryIO]:
    """A file to write, which takes the place of `path` when the block ends well, and else leaves nothing.

    What can be made again in a moment need not be `durable`: a power cut may take it, and no disk is waited for.
    """
    partial = path.with_name(path.name + ".partial")
    try:
        with partial.open("wb") as file:
            yield file
            file.flush()
            if durable:
                os.fsync(file.fileno())  # on the disk before it gets the name
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)


def unwritable(path: Path, error: OSError) -> TacitError:
    """What to say when a file could not be written."""
    full = error.errno in {errno.ENOSPC, errno.EDQUOT}
    return TacitError(
        f"{path} cannot be written: {error.strerror or error}",
        fix="make room on the disk" if full else "choose a folder you may write to",
    )
