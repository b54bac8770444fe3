"""Answers of a shard without a cluster: every photograph has its row, whatever is wrong with it."""

import errno
import json
from pathlib import Path

import fsspec
import numpy as np
import pyarrow as pa
import pytest
import torch
from PIL import Image
from pyarrow import parquet
from trained import look_trained

import tacit
from tacit import atomic
from tacit.data import images
from tacit.errors import TacitError
from tacit.scale.ledger import DEATHS, Ledger
from tacit.scale.plan import PlanFolder
from tacit.scale.rows import SCHEMA, parquet_of
from tacit.scale.run import written
from tacit.scale.sources import Photograph, photographs
from tacit.scale.worker import Worker, answered
from tacit.stages import Stages
from tacit.thresholds import Thresholds


@pytest.fixture(scope="module")
def stages():
    torch.manual_seed(0)
    model = tacit.create("debug", ["cup", "hat"])
    look_trained(model.network)
    return model.stages(Thresholds(confidence=0.001, max_detections=3), 64)


@pytest.fixture
def mixed(photos):
    """Five photographs, one that is empty, one that is none, one that is gone."""
    (photos / "5.jpg").write_bytes(b"")
    (photos / "6.jpg").write_bytes(b"no picture at all")
    return [*(Photograph(str(path)) for path in sorted(photos.iterdir())), Photograph(str(photos / "gone.jpg"))]


def rows(stages, wanted, batch=2, column=""):
    return parquet.read_table(pa.BufferReader(parquet_of(list(answered(stages, wanted, column, batch))))).to_pylist()


def test_every_photograph_has_its_row(stages, mixed):
    table = rows(stages, mixed)
    assert [row["path"] for row in table] == [photograph.name for photograph in mixed]
    assert [row["fault"] for row in table[:5]] == [None] * 5
    told = [row["fault"] for row in table[5:]]
    assert told[0].startswith("is an empty file")
    assert told[1].startswith("is not a picture")
    assert told[2] == "is not there"
    assert all(row["boxes"] is None for row in table[5:])


@pytest.mark.parametrize("batch", [1, 3, 50])
def test_the_answers_are_those_of_the_stages(stages, mixed, batch):
    table = rows(stages, mixed[:5], batch)
    for row, photograph in zip(table, mixed, strict=False):
        (result,) = stages([images.load_image(Path(photograph.place))])
        assert (row["width"], row["height"]) == (result.width, result.height)
        assert np.allclose(np.array(row["boxes"]).reshape(-1, 4), result.boxes, atol=1e-3)
        assert row["classes"] == result.classes.tolist()
        assert row["names"] == [("cup", "hat")[index] for index in row["classes"]]
    assert sum(len(row["boxes"]) for row in table) > 0


def test_every_further_task_stands_in_the_answers(photos):
    record = tacit.load()
    (row,) = rows(record.stages(size=64), [Photograph(str(photos / "0.png"))])
    (result,) = record.stages(size=64)([images.load_image(photos / "0.png")])
    assert json.loads(row["answers"]) == {name: answer.to_json() for name, answer in result.answers.items()}


def test_one_schema_whatever_was_found(stages, mixed):
    for some in (mixed[:1], mixed[5:]):
        assert pa.parquet.read_schema(pa.BufferReader(parquet_of(list(answered(stages, some, "", 2))))) == SCHEMA


def test_bytes_in_a_table_are_photographs(stages, photos):
    content = [path.read_bytes() for path in sorted(photos.iterdir())]
    table = pa.table({"image": [{"bytes": value, "path": None} for value in [*content, None, b"x"]]})
    parquet.write_table(table, photos / "t.parquet", row_group_size=3)
    place = str(photos / "t.parquet")
    found = rows(stages, list(photographs([place])))
    assert [row["path"] for row in found] == [f"{place}#{row}" for row in range(7)]
    plain = rows(stages, [Photograph(str(photos / f"{i}.png")) for i in range(5)])
    assert [row["boxes"] for row in found[:5]] == [row["boxes"] for row in plain]
    assert ["empty" in str(row["fault"]) for row in found] == [False] * 5 + [True, False]
    assert found[6]["fault"].startswith("is not a picture")
    assert rows(stages, [Photograph(place, 4)])[0]["boxes"] == plain[4]["boxes"]


def test_an_object_store_is_read(stages, samples):
    fsspec.filesystem("memory").pipe("/shop/a.jpg", samples[0].read_bytes())
    found = rows(stages, [Photograph("memory://shop/a.jpg"), Photograph("memory://shop/b.jpg")])
    assert found[0]["boxes"] == rows(stages, [Photograph(str(samples[0]))])[0]["boxes"]
    assert found[1]["fault"] == "cannot be read: it is not there"


def test_a_table_that_went_away_is_a_reason_for_each_of_its_rows(stages, photos):
    table = rows(stages, [Photograph("/nowhere.parquet", 0), Photograph("/nowhere.parquet", 1)])
    assert [row["fault"] for row in table] == ["cannot be read: it is not there"] * 2


def test_a_photograph_that_is_too_large(stages, photos, monkeypatch):
    Image.new("RGB", (60, 50)).save(photos / "large.png")
    monkeypatch.setattr(images, "MAX_PIXELS", 2999)
    assert "decompression bomb" in rows(stages, [Photograph(str(photos / "large.png"))])[0]["fault"]


class Deadly(Stages):
    """Stages that end their process over a picture 13 pixels wide."""

    class Death(BaseException):
        pass

    def __init__(self, stages):
        self.stages = stages

    def __call__(self, pictures):
        if any(picture.shape[1] == 13 for picture in pictures):
            raise self.Death
        return self.stages(pictures)


def test_a_photograph_that_kills_its_worker_is_a_row_too(stages, mixed, photos):
    Image.new("RGB", (13, 9)).save(photos / "1.png")
    worker = Worker(lambda: stages, Ledger(), "", 2, torch.get_num_threads())
    worker.stages = Deadly(stages)
    shard = pa.table({"shard": [4], "places": [[p.place.encode() for p in mixed]], "rows": [[None] * len(mixed)]})
    for _ in range(DEATHS + 1):
        with pytest.raises(Deadly.Death):
            worker(shard)
    (done,) = worker(shard).to_pylist()
    table = parquet.read_table(pa.BufferReader(done["content"])).to_pylist()
    assert [row["fault"] for row in table[:3]] == [None, "ended the process that read it", None]
    assert (done["photographs"], done["faults"]) == (8, 4)


def test_a_full_disk_is_one_sentence(mixed, tmp_path, monkeypatch):
    folder = PlanFolder(tmp_path / "out")
    plan = folder.begin(mixed, 4, {})

    def full(_):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(atomic.os, "fsync", full)
    with pytest.raises(TacitError, match=r"shard 1 cannot be written .*: No space left on device\..* it goes on\."):
        written(folder, shard=1, photographs=4, faults=0, objects=2, content=b"answers")
    assert folder.missing(plan) == [0, 1]
    assert list(folder.results.iterdir()) == []
