"""Photographs of individuals: the forms that are recognised, who is held out, and what cannot be compared."""

import pytest
from layouts import HEIGHT, WIDTH, photo

from tacit.data import reid
from tacit.data.identities import IdentityLabels
from tacit.data.read import available_splits, read
from tacit.errors import DataError


def put(root, *names):
    for name in names:
        photo(root / name)
    return root


def individuals(dataset):
    """Which photographs show the same one, by file name."""
    shown = {}
    for sample in dataset.samples:
        shown.setdefault(int(sample.label(IdentityLabels).identities[0]), set()).add(sample.path.name)
    return sorted(map(sorted, shown.values()))


MARKET = ("0002_c1s1_000451_03.png", "0002_c2s1_000776_01.png", "0007_c1s1_1_00.png", "0007_c3s3_2_00.png")


def test_numbered_files(tmp_path):
    put(tmp_path / "bounding_box_train", *MARKET)
    put(tmp_path / "bounding_box_test", "0009_c1s1_1_00.png", "0000_c1s1_1_00.png", "0000_c2s1_2_00.png", "-1_c1_3.png")
    put(tmp_path / "query", "0009_c2s1_1_00.png")
    train, test = read(tmp_path, "train"), read(tmp_path, "test")
    assert individuals(train) == [list(MARKET[:2]), list(MARKET[2:])]
    assert individuals(test) == [
        ["0000_c1s1_1_00.png"],  # of somebody whom nobody looks for each photograph is its own
        ["0000_c2s1_2_00.png"],
        ["0009_c1s1_1_00.png", "0009_c2s1_1_00.png"],
    ]
    assert train.classes == ("person",)
    assert [sample.label(IdentityLabels).shot.camera for sample in train.samples] == ["c1", "c2", "c1", "c3"]
    assert not train.faults
    assert not test.faults


def test_the_whole_photograph_is_the_box_and_detection_is_not_taught(tmp_path):
    put(tmp_path / "test", *MARKET)
    sample = read(tmp_path, "test").samples[0]
    assert sample.boxes.tolist() == [[0, 0, WIDTH, HEIGHT]]
    assert not sample.boxed


def test_a_folder_for_each_individual(tmp_path):
    put(tmp_path / "test" / "identities", "rex/1.png", "rex/far/2.png", "bello/1.png", "bello/3.png")
    dataset = read(tmp_path, "test")
    assert individuals(dataset) == [["1.png", "2.png"], ["1.png", "3.png"]]
    assert dataset.classes == ("object",)
    assert dataset.samples[0].label(IdentityLabels).shot is None


def test_files_by_name(tmp_path):
    put(tmp_path / "test" / "identities", "old_rex_1.png", "old_rex_2.png", "rex_1.png", "rex_2.png")
    assert individuals(read(tmp_path, "test")) == [["old_rex_1.png", "old_rex_2.png"], ["rex_1.png", "rex_2.png"]]


def test_one_camera_tells_nothing(tmp_path):
    put(tmp_path / "test", "0002_c1s1_1_03.png", "0002_c1s1_2_01.png")
    assert read(tmp_path, "test").samples[0].label(IdentityLabels).shot is None


@pytest.mark.parametrize("path", [".", "identities"])
def test_individuals_are_held_out_not_photographs(tmp_path, path):
    put(tmp_path / "identities", *(f"{name}/{i}.png" for name in "abcdefghij" for i in range(3)))
    assert available_splits(tmp_path / path) == ("train", "val")
    train, val = (read(tmp_path / path, split) for split in ("train", "val"))
    names = [{sample.path.parent.name for sample in dataset.samples} for dataset in (train, val)]
    assert [len(found) for found in names] == [8, 2]
    assert not names[0] & names[1]


@pytest.mark.parametrize("split", ["train", "val"])
def test_one_photograph_of_each_leaves_nothing_to_compare(tmp_path, split):
    put(tmp_path / "identities", "a/1.png", "b/1.png", "c/1.png")
    with pytest.raises(DataError, match="one photograph of each of 3 individuals: nothing to compare it with"):
        read(tmp_path, split)


def test_a_single_photograph_among_others_is_noted(tmp_path):
    put(tmp_path / "test" / "identities", "a/1.png", "a/2.png", "b/1.png")
    dataset = read(tmp_path, "test")
    assert [fault.reason for fault in dataset.faults] == ["is the only photograph of 'b': nothing to compare it with"]
    assert len(dataset.samples) == 3


@pytest.mark.parametrize("name", ["cover.png", "_1.png"])
def test_a_file_name_without_an_individual_is_left_out_by_name(tmp_path, name):
    put(tmp_path / "test" / "identities", "a_1.png", "a_2.png", name)
    dataset = read(tmp_path, "test")
    assert [(fault.reason, fault.lost) for fault in dataset.faults] == [
        ("its name says no individual, left out", "image")
    ]
    assert len(dataset.samples) == 2


def test_a_damaged_photograph_is_left_out(tmp_path):
    put(tmp_path / "test" / "identities", "a_1.png", "a_2.png")
    (tmp_path / "test" / "identities" / "a_3.png").write_bytes(b"no picture")
    dataset = read(tmp_path, "test")
    assert len(dataset.samples) == 2
    assert "is not a picture" in dataset.faults[0].reason


def test_other_folders_of_photographs_are_not_taken_for_individuals(tmp_path):
    put(tmp_path, "cat/1.png", "cat/2.png", "dog/1.png")
    assert not reid.splits(tmp_path)
