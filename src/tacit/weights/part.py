"""What is there of a file so far, and of which version of it: pieces of two versions are never joined."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

from tacit.errors import WeightsError


@dataclass(frozen=True, kw_only=True)
class Version:
    """One state of a file on a server."""

    address: str
    total: int
    """Bytes of the whole file."""
    mark: str
    """ETag or date by which the server knows it again; empty where it tells none."""


class Part:
    """`NAME.part` beside where the file will be, and in `NAME.part.json` the version that it is of."""

    def __init__(self, address: str, path: Path) -> None:
        self.address = address
        self.path = path.with_name(f"{path.name}.part")
        self.note = path.with_name(f"{path.name}.part.json")

    @property
    def length(self) -> int:
        """Bytes that are there."""
        return self.path.stat().st_size if self.path.is_file() else 0

    @property
    def version(self) -> Version | None:
        """What the bytes are of; None where that is not known, so that they are of no use."""
        try:
            values = json.loads(self.note.read_bytes())
            version = Version(address=values["address"], total=values["total"], mark=values["mark"])
        except (OSError, ValueError, KeyError, TypeError):
            return None
        told = isinstance(version.total, int) and isinstance(version.mark, str) and version.mark.isprintable()
        return version if told and version.address == self.address else None

    @property
    def complete(self) -> bool:
        """Whether nothing is missing."""
        return self.version is not None and self.length == self.version.total

    def begin(self, version: Version) -> None:
        """Drops what is there; from now on it is of `version`."""
        self.note.unlink(missing_ok=True)  # first: a note is never beside bytes of another version
        self.path.write_bytes(b"")
        self.note.write_text(json.dumps(asdict(version)), encoding="utf-8")

    def forget(self) -> None:
        """Drops what is there."""
        self.note.unlink(missing_ok=True)
        self.path.unlink(missing_ok=True)

    def become(self, path: Path, check: Callable[[Path], None]) -> None:
        """Takes its place at `path`; what `check` raises WeightsError for is dropped instead."""
        try:
            check(self.path)
        except WeightsError:
            self.forget()
            raise
        with self.path.open("rb+") as file:
            os.fsync(file.fileno())  # on the disk before it gets the name
        self.path.replace(path)
        self.note.unlink(missing_ok=True)
