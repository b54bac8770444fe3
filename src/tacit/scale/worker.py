"""What stands on every worker of a cluster: one model, which answers shard after shard."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import pyarrow as pa
import torch

from tacit.data.sample import Fault
from tacit.predict.pipeline import batch_for
from tacit.results import Result
from tacit.scale.ledger import Notes
from tacit.scale.reading import read
from tacit.scale.rows import parquet_of, row_of
from tacit.scale.sources import Photograph
from tacit.stages import Stages

MakeStages = Callable[[], Stages]


class Worker:
    """Called by Ray Data with a table of shards, gives a table of their answers as Parquet files."""

    def __init__(self, make: MakeStages, notes: Notes, column: str, batch: int | None, threads: int) -> None:
        torch.set_num_threads(threads)
        self.stages, self.notes, self.column, self.batch = make(), notes, column, batch

    def __call__(self, table: pa.Table) -> pa.Table:
        return pa.Table.from_pylist([self._shard(**row) for row in table.to_pylist()])

    def _shard(self, shard: int, places: list[bytes], rows: list[int | None]) -> dict[str, Any]:
        photographs = [Photograph(os.fsdecode(place), row) for place, row in zip(places, rows, strict=True)]
        care = self.notes.begin(shard)
        if care.one_by_one:
            answers = list(self._one_by_one(shard, photographs, care.guilty))
        else:
            answers = list(answered(self.stages, photographs, self.column, self.batch))
        self.notes.end(shard)
        return {
            "shard": shard,
            "photographs": len(answers),
            "faults": sum(row.get("fault") is not None for row in answers),
            "objects": sum(len(row.get("boxes", ())) for row in answers),
            "content": parquet_of(answers),
        }

    def _one_by_one(
        self, shard: int, photographs: Sequence[Photograph], guilty: frozenset[int]
    ) -> Iterator[dict[str, Any]]:
        for place, photograph in enumerate(photographs):
            if place in guilty:
                yield row_of(photograph.name, Fault(photograph.name, "ended the process that read it", "image"))
            else:
                self.notes.at(shard, place)
                yield from answered(self.stages, [photograph], self.column, 1)


def answered(
    stages: Stages, photographs: Sequence[Photograph], column: str, batch: int | None
) -> Iterator[dict[str, Any]]:
    """A row of `SCHEMA` for each photograph, in order; `batch` of them, or `batch_for` the model, share a pass."""
    for group in read(photographs, column, batch or batch_for(stages)):
        results = iter(stages([picture for _, picture in group if not isinstance(picture, Fault)]))
        for photograph, picture in group:
            answer: Result | Fault = picture if isinstance(picture, Fault) else next(results)
            yield row_of(photograph.name, answer)
