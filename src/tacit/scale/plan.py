"""What is to be done, written down before it is begun: the photographs in numbered shards, and the options.

A folder holds one plan: `plan.json`, the list of photographs as `photographs.parquet` (a row group a shard), and
`results/shard-00000.parquet` and so on. A shard whose file is there is done, since it gets its name as a whole.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass
from itertools import islice
from pathlib import Path
from typing import Any, BinaryIO

import pyarrow as pa
from pyarrow import parquet

from tacit.atomic import replacing
from tacit.errors import ConfigError, DataError
from tacit.scale.sources import Photograph

VERSION = 1
LIST = pa.schema([("place", pa.binary()), ("row", pa.int64())])  # names of files need not be text
SHARD = 256
"""Photographs in a shard: what is answered again, at most, after a worker was lost."""


@dataclass(frozen=True, kw_only=True)
class Plan:
    """The work of one folder."""

    photographs: int
    digest: str
    """SHA-256 over the names of the photographs, in order."""
    shard: int
    options: Mapping[str, Any]
    """All else that an answer depends on, as JSON has it."""
    version: int = VERSION

    @property
    def shards(self) -> int:
        return -(-self.photographs // self.shard)


class PlanFolder:
    """The files of a plan."""

    def __init__(self, path: Path) -> None:
        self.path, self.results = path, path / "results"
        self._plan, self._list = path / "plan.json", path / "photographs.parquet"

    def begin(self, photographs: Iterable[Photograph], shard: int, options: Mapping[str, Any]) -> Plan:
        """Writes the plan, or finds that the same is there. Raises ConfigError where there is another, and changes
        nothing of it.
        """
        self.results.mkdir(parents=True, exist_ok=True)
        there = self._read()
        with replacing(self._list) as file:
            count, digest = _write(file, photographs, shard)
            plan = Plan(photographs=count, digest=digest, shard=shard, options=json.loads(json.dumps(options)))
            if there is not None:
                self._require_same(there, plan)
        if there is None:
            with replacing(self._plan) as file:
                file.write(json.dumps(asdict(plan), indent=2).encode())
        return plan

    def missing(self, plan: Plan) -> list[int]:
        """The shards without a file, in order."""
        done = {path.name for path in self.results.iterdir()}
        return [shard for shard in range(plan.shards) if _name(shard) not in done]

    def photographs(self, shards: Iterable[int]) -> Iterator[tuple[int, pa.Table]]:
        """The lists of these shards, one after the other."""
        with parquet.ParquetFile(self._list) as table:
            for shard in shards:
                yield shard, table.read_row_group(shard)

    def write(self, shard: int, content: bytes) -> None:
        """The shard's answers, under their name as a whole or not at all. Raises OSError."""
        with replacing(self.results / _name(shard)) as file:
            file.write(content)

    def _read(self) -> Plan | None:
        if not self._plan.exists():
            return None
        try:
            return Plan(**json.loads(self._plan.read_text(encoding="utf-8")))
        except (ValueError, TypeError) as error:
            raise DataError(f"{self._plan} is no plan: {error}", fix="choose another --output") from error

    def _require_same(self, there: Plan, wanted: Plan) -> None:
        for name, (old, new) in _differences(there, wanted).items():
            raise ConfigError(
                f"{self.path} holds answers of another plan: {name} was {old}, and is {new}",
                allowed="the same command again, which does what is missing",
                fix="choose another --output",
            )


def _differences(there: Plan, wanted: Plan) -> dict[str, tuple[Any, Any]]:
    """What is not the same: the old and the new value by its name."""
    old, new = ({**asdict(plan), **asdict(plan)["options"]} for plan in (there, wanted))
    names = [name for name in {**new, **old} if name != "options"]
    return {name: (old.get(name), new.get(name)) for name in names if old.get(name) != new.get(name)}


def _write(file: BinaryIO, photographs: Iterable[Photograph], shard: int) -> tuple[int, str]:
    """How many there are, and the digest of their names."""
    waiting, count, digest = iter(photographs), 0, hashlib.sha256()
    with parquet.ParquetWriter(file, LIST) as writer:
        while group := list(islice(waiting, shard)):
            places = [os.fsencode(photograph.place) for photograph in group]
            rows = [photograph.row for photograph in group]
            for place, row in zip(places, rows, strict=True):
                digest.update(b"%b\0%d\n" % (place, -1 if row is None else row))
            writer.write_table(pa.table({"place": places, "row": pa.array(rows, pa.int64())}, LIST), shard)
            count += len(group)
    return count, digest.hexdigest()


def _name(shard: int) -> str:
    return f"shard-{shard:05d}.parquet"
