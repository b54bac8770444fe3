"""The plan: what is missing, what is refused, and that nothing half-written gets a name."""

import errno
import json
import os

import pytest

from tacit import atomic
from tacit.errors import ConfigError, DataError
from tacit.scale.plan import PlanFolder
from tacit.scale.sources import Photograph

SEVEN = [Photograph(f"/p/{i}.jpg") for i in range(5)] + [Photograph("/t.parquet", 3), Photograph(os.fsdecode(b"\xff"))]


@pytest.fixture
def folder(tmp_path):
    return PlanFolder(tmp_path / "out")


def files(folder):
    return sorted(path.name for path in folder.path.rglob("*") if path.is_file())


def test_shards_hold_every_photograph_in_order(folder):
    plan = folder.begin(SEVEN, 3, {"size": None})
    assert (plan.photographs, plan.shards, folder.missing(plan)) == (7, 3, [0, 1, 2])
    tables = dict(folder.photographs([0, 1, 2]))
    rows = [row for table in tables.values() for row in table.to_pylist()]
    assert [Photograph(os.fsdecode(row["place"]), row["row"]) for row in rows] == SEVEN
    assert [table.num_rows for table in tables.values()] == [3, 3, 1]


def test_what_is_written_is_no_longer_missing(folder):
    plan = folder.begin(SEVEN, 3, {})
    folder.write(1, b"answers")
    again = folder.begin(SEVEN, 3, {})
    assert again == plan
    assert folder.missing(again) == [0, 2]


@pytest.mark.parametrize(
    ("photographs", "shard", "options", "told"),
    [
        (SEVEN[:6], 3, {"size": 64}, "photographs was 7, and is 6"),
        ([*SEVEN[1:], SEVEN[0]], 3, {"size": 64}, "digest was"),
        (SEVEN, 2, {"size": 64}, "shard was 3, and is 2"),
        (SEVEN, 3, {"size": 96}, "size was 64, and is 96"),
    ],
)
def test_another_plan_is_refused_and_changes_nothing(folder, photographs, shard, options, told):
    folder.begin(SEVEN, 3, {"size": 64})
    before = {path: path.read_bytes() for path in folder.path.rglob("*") if path.is_file()}
    with pytest.raises(ConfigError, match=told):
        folder.begin(photographs, shard, options)
    assert {path: path.read_bytes() for path in folder.path.rglob("*") if path.is_file()} == before


def test_a_plan_that_cannot_be_read(folder):
    folder.begin(SEVEN, 3, {})
    (folder.path / "plan.json").write_text(json.dumps({"photographs": 7}))
    with pytest.raises(DataError, match="is no plan"):
        folder.begin(SEVEN, 3, {})


def test_a_full_disk_leaves_nothing_half_written(folder, monkeypatch):
    plan = folder.begin(SEVEN, 3, {})
    there = files(folder)

    def full(_):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(atomic.os, "fsync", full)
    with pytest.raises(OSError, match="No space"):
        folder.write(0, b"answers")
    assert files(folder) == there
    assert folder.missing(plan) == [0, 1, 2]
