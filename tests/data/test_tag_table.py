"""Tags from CSV files: the three forms, and the table of what may be wrong with one."""

import pytest
from layouts import photo

from tacit.data.read import available_splits, read, training_splits
from tacit.data.tags import TagLabels
from tacit.errors import DataError


def table(root, text, name="tags.csv", photos=("a", "b", "c")):
    for stem in photos:
        photo(root / "images" / f"{stem}.png")
    file = root / name
    file.write_text(text, encoding="utf-8")
    return file


def tags(dataset):
    return {sample.path.stem: set(sample.label(TagLabels).names) for sample in dataset.samples}


FORMS = {
    "a single one": ("file,label\na.png,cat\nb.png,dog\n", {"a": {"cat"}, "b": {"dog"}}, True),
    "with a comma in it": ('file,label\na.png,"eel, sea"\nb.png,dog\n', {"a": {"eel, sea"}, "b": {"dog"}}, True),
    "a line a tag": ("image,tag\na.png,sea\na.png,sky\nb.png,sea\n", {"a": {"sea", "sky"}, "b": {"sea"}}, False),
    "bars": ("path,labels\na.png,sea|sky\nb.png,sea\n", {"a": {"sea", "sky"}, "b": {"sea"}}, False),
    "commas": ('Filename, Tags\na.png,"sea, sky"\nb.png,sea\n', {"a": {"sea", "sky"}, "b": {"sea"}}, False),
    "semicolons between cells": ("file;labels\na.png;sea|sky\nb.png;sea\n", {"a": {"sea", "sky"}, "b": {"sea"}}, False),
    "tabs between cells": ("file\tlabels\na.png\tsea;sky\nb.png\tsea\n", {"a": {"sea", "sky"}, "b": {"sea"}}, False),
    "flags": ("file,sea,sky\na.png,1,1\nb.png,1.0,0\nc.png,0,0\n", {"a": {"sea", "sky"}, "b": {"sea"}, "c": set()}, 0),
    "a byte-order mark": ("\ufefffile,label\r\na.png,cat\r\n\r\nb.png,dog\r\n", {"a": {"cat"}, "b": {"dog"}}, True),
    "a path": ("file,label\n./images/a.png,cat\nimages/b.png,dog\n", {"a": {"cat"}, "b": {"dog"}}, True),
}  # fmt: skip


@pytest.mark.parametrize(("text", "wanted", "single"), FORMS.values(), ids=FORMS)
def test_forms(tmp_path, text, wanted, single):
    dataset = read(table(tmp_path, text))
    assert tags(dataset) == wanted
    assert dataset.faults == ()
    assert {sample.label(TagLabels).single for sample in dataset.samples} == {single}
    assert not any(sample.boxed for sample in dataset.samples)
    assert len({sample.id for sample in dataset.samples}) == len(wanted)


def test_an_empty_flag_is_not_known(tmp_path):
    first, second = read(table(tmp_path, "file,sea,sky\na.png,1,\nb.png,0,1\n")).samples
    assert first.label(TagLabels).vocabulary == ("sea",)
    assert second.label(TagLabels).vocabulary == ("sea", "sky")


@pytest.mark.parametrize("named", ["a column", "files"])
def test_splits_share_their_tags(tmp_path, named):
    if named == "files":
        table(tmp_path, "file,label\na.png,cat\n", "train.csv")
        table(tmp_path, "file,label\nb.png,dog\n", "val.csv")
    else:
        table(tmp_path, "file,label,split\na.png,cat,train\nb.png,dog,val\n")
    assert training_splits(tmp_path) == ("train", "val")
    assert tags(read(tmp_path, "train")) == {"a": {"cat"}}
    assert read(tmp_path, "val").samples[0].label(TagLabels).vocabulary == ("cat", "dog")


def test_a_folder_of_photographs_beside_may_be_called_like_the_split(tmp_path):
    photo(tmp_path / "train" / "a.png")
    table(tmp_path, "file,label\na.png,cat\nb.png,dog\n", "train.csv", photos=["b"])
    assert available_splits(tmp_path) == ("all",)
    assert tags(read(tmp_path / "train.csv", "all")) == {"a": {"cat"}, "b": {"dog"}}
    table(tmp_path, "file,label\nb.png,dog\n", "val.csv", photos=[])
    assert tags(read(tmp_path, "train")) == {"a": {"cat"}, "b": {"dog"}}


FAULTS = {
    "a file that is not there": ("file,label\na.png,cat\nb.png,dog\nnone.png,cat\n", "is missing", "image", 2),
    "a path that leads out": ("file,label\na.png,cat\nb.png,dog\n../a.png,cat\n", "leads out", "image", 2),
    "an absolute path": ("file,label\na.png,cat\nb.png,dog\n/etc/passwd,cat\n", "leads out", "image", 2),
    "no file": ("file,label\na.png,cat\nb.png,dog\n ,cat\n", "names no file", "image", 2),
    "an empty label": ("file,label\na.png,cat\nb.png,dog\nc.png, \n", "has no label", "image", 2),
    "an empty list": ("file,labels\na.png,cat\nb.png,dog\nc.png,|\n", "has no label", "image", 2),
    "an empty part": ("file,labels\na.png,cat||dog\nb.png,dog\n", "an empty label", "label", 2),
    "a novel": (f"file,labels\na.png,cat|{'x' * 300}\nb.png,dog\n", "more than 200", "label", 2),
    "no flag": ("file,cat,dog\na.png,1,0\nb.png,0,yes\n", "neither 0 nor 1", "label", 2),
    "flags that say nothing": ("file,cat,dog\na.png,1,0\nb.png,,\n", "has no label", "image", 1),
    "a line twice": ("file,label\na.png,cat\nb.png,dog\n./a.png,cat\n", "same as in line 2", "nothing", 2),
    "a list twice": ("file,labels\na.png,cat\nb.png,dog\na.png,dog\n", "other labels in line 2", "label", 2),
    "a line too short": ("file,label\na.png,cat\nb.png,dog\nc.png\n", "1 cells under 2", "image", 2),
    "a column too many": ("file,label,width\na.png,cat,3\nb.png,dog,3\n", "width are passed over", "nothing", 2),
}


@pytest.mark.parametrize(("text", "word", "lost", "left"), FAULTS.values(), ids=FAULTS)
def test_faults_are_counted(tmp_path, text, word, lost, left):
    dataset = read(table(tmp_path, text))
    (fault,) = dataset.faults
    assert word in fault.reason
    assert fault.lost == lost
    assert fault.where.startswith(f"{tmp_path / 'tags.csv'}:")
    assert len(dataset.samples) == left


def test_a_photograph_in_two_splits_stays_in_the_first(tmp_path):
    root = table(tmp_path, "file,label,split\na.png,cat,train\na.png,cat,val\nb.png,dog,val\n").parent
    assert tags(read(root, "train")) == {"a": {"cat"}}
    assert tags(read(root, "val")) == {"b": {"dog"}}
    assert "is in the split 'train' already" in read(root, "val").faults[0].reason


ERRORS = {
    "empty": ("", "is empty"),
    "no column of files": ("name,label\na.png,cat\n", "has the columns name, label"),
    "two columns of files": ("file,image,label\na.png,a.png,cat\n", "has the columns"),
    "unknown columns": ("file,colour,size\na.png,red,9\n", "has the columns file, colour, size"),
    "columns without a name": ("file,,\na.png,1,0\n", "has the columns"),
    "files alone": ("file\na.png\n", "has the columns file"),
    "a column twice": ("file,cat,cat\na.png,1,0\n", "has the columns"),
    "one class": ("file,label\na.png,cat\nb.png,cat\n", "one class only, 'cat'"),
    "nothing but a header": ("file,label\n", "names no photograph"),
    "a cell without end": ('file,label\na.png,"' + "x" * 200_000 + "\n", "no sound CSV"),
}


@pytest.mark.parametrize(("text", "word"), ERRORS.values(), ids=ERRORS)
def test_errors_say_what_is_wrong(tmp_path, text, word):
    with pytest.raises(DataError, match=word):
        read(table(tmp_path, text))


def test_bytes_that_are_no_text(tmp_path):
    file = table(tmp_path, "")
    file.write_bytes(b"file,label\n\xff\xfe,cat\n")
    with pytest.raises(DataError, match="no sound CSV"):
        read(file)


def test_tables_of_other_programs_are_passed_over(tmp_path):
    photo(tmp_path / "cat" / "a.png")
    photo(tmp_path / "dog" / "a.png")
    (tmp_path / "results.csv").write_text("epoch,loss\n1,2\n")
    assert read(tmp_path).kind == "image folder"
