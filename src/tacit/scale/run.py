"""The work itself: the shards that are missing go through Ray Data, and each answer is written once, by the driver.

Workers hold no file of the results. What they answer comes back as a whole Parquet file a shard, which gets its name
here: a worker that dies has written nothing, and Ray gives its shards to another.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pyarrow as pa

from tacit.errors import TacitError
from tacit.scale.cluster import ray_there
from tacit.scale.ledger import Care, Ledger, Notes
from tacit.scale.plan import Plan, PlanFolder
from tacit.scale.worker import MakeStages, Worker

WAVE = 1024  # shards that are known to Ray at once, so that its memory does not grow with the number of photographs
AHEAD = 2  # shards that are given to a worker at once


@dataclass(frozen=True, kw_only=True)
class Crew:
    """Who does it: workers with one model each, of `cpus` CPUs and so many threads; None is `batch_for` the model."""

    workers: int
    cpus: int = 1
    batch: int | None = None


@dataclass(frozen=True, kw_only=True)
class Done:
    """One shard is written."""

    shard: int
    photographs: int
    faults: int
    objects: int


def answer_missing(folder: PlanFolder, plan: Plan, make: MakeStages, crew: Crew, column: str = "") -> Iterator[Done]:
    """Answers the shards that are missing and says so of each, in the order they are done.

    Runs on the cluster that is connected. `make` builds the stages on a worker. Raises TacitError where the disk is
    full or the cluster fails; what is written stays, and calling it again goes on.
    """
    ray = ray_there()
    model = ray.put(make)
    ledger = ray.remote(num_cpus=0, max_restarts=-1, max_task_retries=-1)(Ledger).remote()
    missing = folder.missing(plan)
    for start in range(0, len(missing), WAVE):
        lists = [_row(shard, table) for shard, table in folder.photographs(missing[start : start + WAVE])]
        workers = min(crew.workers, len(lists))
        shards = ray.data.from_arrow(lists).map_batches(
            _Hired,
            fn_constructor_args=(model, ledger, column, crew.batch, crew.cpus),
            batch_size=1,
            batch_format="pyarrow",
            num_cpus=crew.cpus,
            compute=ray.data.ActorPoolStrategy(min_size=workers, max_size=workers, max_tasks_in_flight_per_actor=AHEAD),
        )
        try:
            for row in shards.iter_rows():
                yield written(folder, **row)
        except ray.exceptions.RayError as error:
            reason = str(getattr(error, "cause", None) or error).strip().rpartition("\n")[2]
            raise TacitError(f"the cluster stopped: {reason}", fix="the same command again goes on") from error


class _Hired(Worker):
    """A worker whose model comes from the cluster's memory: sent to each machine once."""

    def __init__(self, model: Any, ledger: Any, column: str, batch: int | None, threads: int) -> None:
        super().__init__(ray_there().get(model), _Far(ledger), column, batch, threads)


class _Far(Notes):
    """Notes for a ledger in another process."""

    def __init__(self, ledger: Any) -> None:
        self._ledger, self._get = ledger, ray_there().get

    def begin(self, shard: int) -> Care:
        care: Care = self._get(self._ledger.begin.remote(shard))
        return care

    def at(self, shard: int, place: int) -> None:
        self._get(self._ledger.at.remote(shard, place))

    def end(self, shard: int) -> None:
        self._get(self._ledger.end.remote(shard))


def _row(shard: int, photographs: pa.Table) -> pa.Table:
    """The list of a shard as one row, so that one call answers it."""
    lists = {"places": [photographs["place"].to_pylist()], "rows": [photographs["row"].to_pylist()]}
    kinds = [("shard", pa.int64()), ("places", pa.list_(pa.binary())), ("rows", pa.list_(pa.int64()))]
    return pa.table({"shard": [shard], **lists}, pa.schema(kinds))


def written(folder: PlanFolder, *, shard: int, photographs: int, faults: int, objects: int, content: bytes) -> Done:
    """What a worker answered, on the disk. Raises TacitError where that is full."""
    try:
        folder.write(shard, content)
    except OSError as error:
        what = f"the answers of shard {shard} cannot be written to {folder.results}: {error.strerror or error}"
        raise TacitError(what, fix="make room, and give the same command again: it goes on") from error
    return Done(shard=shard, photographs=photographs, faults=faults, objects=objects)
