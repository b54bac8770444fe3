"""Which part of a source is scored by default: never what training learnt from, and never less than there is."""

import os

import pytest
from layouts import coco, photo, voc, yolo

from tacit.data.read import available_splits, is_hold_out, read, scoring_split, training_splits
from tacit.errors import DataError


@pytest.mark.parametrize(
    ("splits", "scored"),
    [
        (["train", "val"], "val"),
        (["train2017", "val2017"], "val2017"),
        (["train", "dev", "test"], "dev"),
        (["test", "dev"], "dev"),
        (["val"], "val"),
        (["dev"], "dev"),
        (["holiday"], "holiday"),
    ],
)
def test_the_split_that_is_scored(tmp_path, splits, scored):
    for split in splits:
        photo(tmp_path / "images" / split / "a.png")
        coco(tmp_path, split=split)
    assert scoring_split(tmp_path) == scored
    assert not is_hold_out(tmp_path, scored)
    assert len(read(tmp_path, scored).samples) == 1


@pytest.mark.parametrize("split", ["", "train", "train2017", "trainval"])
def test_what_training_holds_out_of_is_scored_on_the_hold_out(tmp_path, split):
    coco(tmp_path, split=split)
    assert scoring_split(tmp_path) == training_splits(tmp_path)[1] == "val"
    assert is_hold_out(tmp_path, "val")
    assert not is_hold_out(tmp_path, "all")


def test_splits_without_one_to_score_on_are_named(tmp_path):
    for split in ("train", "unlabelled"):
        coco(tmp_path, split=split)
    with pytest.raises(DataError, match=r"train, unlabelled.*--split NAME"):
        scoring_split(tmp_path)


@pytest.mark.parametrize(
    ("name", "split"),
    [("instances_dev.json", "dev"), ("val.json", "val"), ("instances_train.json", "all"), ("labels.json", "all")],
)
def test_a_file_may_name_its_split(tmp_path, name, split):
    coco(tmp_path)
    file = (tmp_path / "annotations/instances.json").rename(tmp_path / "annotations" / name)
    assert available_splits(file) == (split,)
    assert len(read(file, split).samples) == 1
    assert scoring_split(file) == ("val" if split == "all" else split)


def test_a_hold_out_of_names_that_are_no_text(tmp_path):
    voc(tmp_path)
    photo(tmp_path / "JPEGImages" / os.fsdecode(b"caf\xe9.png"))
    held = [read(tmp_path, split).samples for split in ("train", "val")]
    assert [len(samples) for samples in held] == [1, 1]


def test_yolo_scores_are_kept_unless_a_least_one_is_asked_for(tmp_path):
    root = yolo(tmp_path, "0 0.5 0.5 0.5 0.5 0.1\n")
    assert [len(read(root, min_score=least).samples[0].boxes) for least in (0.0, 0.5)] == [1, 0]
    assert len(read(root).samples[0].boxes) == 1
