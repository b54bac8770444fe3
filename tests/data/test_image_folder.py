"""Folders of photographs, one a class: what is read, and what is said of folders that are amiss."""

import pytest
from layouts import coco, photo

from tacit.data.read import available_splits, read, scoring_split, training_splits
from tacit.data.tags import TagLabels
from tacit.errors import DataError


def folder(root, *names):
    for name in names:
        photo(root / name)
    return root


def tags(dataset):
    return {
        str(sample.path.relative_to(dataset.root)): set(sample.label(TagLabels).names) for sample in dataset.samples
    }


def test_folders_without_splits_give_a_hold_out(tmp_path):
    root = folder(tmp_path, *(f"{name}/{i}{name}.png" for name in ("cat", "dog") for i in range(5)))
    assert available_splits(root) == ("all",)
    assert training_splits(root) == ("train", "val")
    parts = [read(root, split) for split in ("train", "val")]
    assert [len(part.samples) for part in parts] == [8, 2]
    whole = read(root)
    assert whole.kind == "image folder"
    assert whole.classes == whole.category_ids == whole.faults == ()
    assert tags(whole)["dog/3dog.png"] == {"dog"}


@pytest.mark.parametrize("names", [("train", "val"), ("train", "test"), ("training", "validation")])
def test_folders_of_splits_share_their_classes(tmp_path, names):
    train, val = names
    root = folder(tmp_path, f"{train}/cat/a.png", f"{train}/dog/deeper/b.png", f"{val}/dog/c.png")
    assert training_splits(root) == names
    assert scoring_split(root) == val
    assert tags(read(root, train)) == {f"{train}/cat/a.png": {"cat"}, f"{train}/dog/deeper/b.png": {"dog"}}
    (sample,) = read(root, val).samples
    assert sample.label(TagLabels).vocabulary == ("cat", "dog")


def test_samples_have_one_tag_and_no_boxes(tmp_path):
    for sample in read(folder(tmp_path, "cat/a.png", "dog/a.png")).samples:
        assert sample.label(TagLabels).single
        assert not sample.boxed
        assert sample.boxes.shape == (0, 4)


def test_a_class_called_train_is_a_class(tmp_path):
    root = folder(tmp_path, "bus/a.png", "train/a.png")
    assert read(root).samples[1].label(TagLabels).vocabulary == ("bus", "train")


@pytest.mark.parametrize(
    ("make", "word", "lost"),
    [
        (lambda root: (root / "empty").mkdir(), "a class without a photograph", "nothing"),
        (lambda root: photo(root / "stray.png"), "in no class's folder", "image"),
        (lambda root: (root / "cat" / "b.png").write_text("no picture"), "not a picture", "image"),
        (lambda root: (root / "cat" / "b.png").touch(), "empty file", "image"),
    ],
    ids=["an empty class", "a photograph of no class", "text", "an empty file"],
)
def test_what_is_amiss_is_counted(tmp_path, make, word, lost):
    make(folder(tmp_path, "cat/a.png", "dog/a.png"))
    dataset = read(tmp_path)
    (fault,) = dataset.faults
    assert word in fault.reason
    assert fault.lost == lost
    assert len(dataset.samples) == 2
    assert dataset.samples[0].label(TagLabels).vocabulary == ("cat", "dog")


def test_files_that_are_no_photographs_are_nobodys_business(tmp_path):
    root = folder(tmp_path, "cat/a.png", "dog/a.png", ".cache/a.png", "__MACOSX/a.png")
    (root / "cat" / "README.txt").write_text("cats")
    assert read(root).faults == ()
    assert len(read(root).samples) == 2


def test_one_class_is_refused(tmp_path):
    with pytest.raises(DataError, match=r"one folder only, 'cat'.*two or more"):
        read(folder(tmp_path, "cat/a.png", "cat/b.png"))


@pytest.mark.parametrize("names", [("images/a.png", "masks/a.png"), ("images/train/a.png",), ("a.png",), ()])
def test_folders_of_other_layouts_are_not_taken_for_classes(tmp_path, names):
    with pytest.raises(DataError, match="is no dataset"):
        read(folder(tmp_path, *names))


def test_label_files_come_first(tmp_path):
    coco(folder(tmp_path, "cat/b.png", "dog/b.png"))
    assert read(tmp_path).kind == "COCO"
