"""What a person may name: every kind of source gives the photographs it means, each once, or one sentence."""

import json
import os

import fsspec
import pyarrow as pa
import pytest
from pyarrow import parquet

from tacit.errors import ConfigError, DataError
from tacit.scale.sources import Photograph, photographs


@pytest.fixture
def bucket(samples):
    """An object store with three photographs and other things."""
    store = fsspec.filesystem("memory")
    for name in ("a.jpg", "b/c.jpg", "b/d.png", "b/.hidden/e.jpg", "b/notes.md"):
        store.pipe(f"/bucket/{name}", samples[0].read_bytes())
    yield store
    store.rm("/bucket", recursive=True)


def names(*sources, **options):
    return [photograph.name for photograph in photographs([str(source) for source in sources], **options)]


def test_a_folder_and_a_glob_of_it_give_each_photograph_once(photos):
    expected = [str(photos / f"{i}.png") for i in range(5)]
    assert names(photos) == names(f"file://{photos}") == names(f"{photos}/*.png", photos) == expected


def test_an_object_store(bucket):
    below = ["memory:///bucket/a.jpg", "memory:///bucket/b/c.jpg", "memory:///bucket/b/d.png"]
    assert [name.replace("://bucket", ":///bucket") for name in names("memory://bucket")] == below
    assert len(names("memory://bucket/b/*.jpg")) == 1
    assert names("memory://bucket/a.jpg") == ["memory://bucket/a.jpg"]


MANIFESTS = {
    "list.txt": "# of two\n0.png\n\ns3://other/far.jpg\n",
    "list.jsonl": '"0.png"\n{"url": "s3://other/far.jpg", "size": 3}\n',
    "list.csv": "id,path\n7,0.png\n8,s3://other/far.jpg\n",
    "list.tsv": "path\tid\n0.png\t7\ns3://other/far.jpg\t8\n",
}


@pytest.mark.parametrize("name", MANIFESTS)
def test_a_list_names_what_is_beside_it(photos, name):
    (photos / name).write_text(MANIFESTS[name])
    assert names(photos / name) == [str(photos / "0.png"), "s3://other/far.jpg"]


def test_a_list_in_an_object_store_names_what_is_beside_it(bucket):
    bucket.pipe("/bucket/list.txt", b"b/c.jpg\n")
    assert names("memory://bucket/list.txt") == ["memory://bucket/b/c.jpg"]


def test_a_table_of_paths(photos):
    parquet.write_table(pa.table({"id": [1, 2], "where": ["0.png", "1.png"]}), photos / "t.parquet")
    assert names(photos / "t.parquet", column="where") == [str(photos / "0.png"), str(photos / "1.png")]
    assert names(photos / "t.parquet") == [str(photos / "0.png"), str(photos / "1.png")]


def test_a_table_of_bytes_gives_its_rows(photos):
    parquet.write_table(pa.table({"image": [b"x", b"y"], "path": ["p", "q"]}), photos / "t.parquet")
    place = str(photos / "t.parquet")
    assert list(photographs([place], column="image")) == [Photograph(place, 0), Photograph(place, 1)]


def test_a_name_that_is_no_text(tmp_path):
    strange = os.fsdecode(b"\xff.jpg")
    (tmp_path / "list.txt").write_bytes(b"\xff.jpg\n")
    assert names(tmp_path / "list.txt") == [str(tmp_path / strange)]


BAD = {
    "list.jsonl": ('{"label": 3}\n', ":1 names no photograph"),
    "broken.jsonl": ('"0.png"\n{\n', ":2 is no JSON"),
    "other.csv": ("id,label\n1,2\n", "no column of photographs"),
    "hole.csv": ("path,id\n,2\n", ":2 names no photograph"),
    "empty.txt": ("", "no photograph was named"),
    "no.parquet": ("PAR1 or not", "is no sound Parquet file"),
}


@pytest.mark.parametrize("name", BAD)
def test_a_bad_list_is_told_in_a_sentence(tmp_path, name):
    content, told = BAD[name]
    (tmp_path / name).write_text(content)
    with pytest.raises(DataError, match=told) as error:
        names(tmp_path / name)
    assert "\n" not in str(error.value)


def test_a_column_that_is_not_there(photos):
    parquet.write_table(pa.table({"image": [b"x"], "size": [3]}), photos / "t.parquet")
    with pytest.raises(DataError, match=r"column 'picture'.*Allowed: image\."):
        names(photos / "t.parquet", column="picture")


@pytest.mark.parametrize("url", ["memory://nowhere/", "memory://nowhere/*.jpg"])
def test_an_object_store_without_photographs(url):
    with pytest.raises(DataError, match="has no images"):
        names(url)


def test_a_list_that_is_not_there():
    with pytest.raises(DataError, match="it is not there"):
        names("memory://nowhere/list.txt")


def test_a_kind_of_url_that_nobody_knows():
    with pytest.raises(ConfigError, match="abc://"):
        names("abc://bucket/photos")


def test_json_lines_of_other_tools_are_read(tmp_path):
    """Such as our own `--json` writes."""
    (tmp_path / "results.jsonl").write_text(json.dumps({"path": "/photos/a.jpg", "boxes": []}) + "\n")
    assert names(tmp_path / "results.jsonl") == ["/photos/a.jpg"]
