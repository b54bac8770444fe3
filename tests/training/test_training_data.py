"""Several datasets with different labels: what teaches which task, what it is chosen on, and what things are called."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from drawn import NAMES, drawn_dataset
from drawn_many import EVERY_TASK, captions_alone, drawn_with_everything, read_file, write_file
from test_training import Notes

from tacit.data.augment import Augment
from tacit.data.captions import CaptionLabels
from tacit.data.masks import MaskLabels
from tacit.data.tickets import Share
from tacit.errors import ConfigError, DataError
from tacit.nn.uses import Operator, Uses
from tacit.tasks.caption.head import Captioning
from tacit.tasks.detect.head import Detect
from tacit.tasks.known import KNOWN, kind_of
from tacit.tasks.tags.head import Tagging
from tacit.training.loop import train
from tacit.training.recipe import Recipe
from tacit.training.training_data import TrainingData, gather, leaving_whole, tell_data


@pytest.fixture(scope="module")
def boxes(tmp_path_factory) -> Path:
    return drawn_dataset(tmp_path_factory.mktemp("boxes"), train=6, val=2)


@pytest.fixture(scope="module")
def captions(tmp_path_factory) -> Path:
    return captions_alone(tmp_path_factory.mktemp("captions"))


@pytest.fixture(scope="module")
def everything(tmp_path_factory) -> Path:
    return drawn_with_everything(tmp_path_factory.mktemp("everything"), train=3, val=2)


def kinds(*tasks: str) -> dict:
    return {name: kind_of(name) for name in tasks}


def gathered(*data: Path, tasks: tuple[str, ...] = ("detect",)) -> TrainingData:
    return gather(Recipe(data=data, tasks=tasks), kinds(*tasks))


def shrunk(folder: Path, keep: str) -> Path:
    """Only the objects of one class are left, and no other class."""
    for split in ("train", "val"):
        content = read_file(folder, "instances", split)
        number = next(one["id"] for one in content["categories"] if one["name"] == keep)
        content["categories"] = [one for one in content["categories"] if one["id"] == number]
        content["annotations"] = [one for one in content["annotations"] if one["category_id"] == number]
        write_file(folder, "instances", split, content)
    return folder


def swapped(folder: Path) -> Path:
    """The classes are numbered the other way round."""
    for labels in (folder / "annotations").glob("*.json"):
        text = labels.read_text().replace('"disc"', '"x"').replace('"square"', '"disc"').replace('"x"', '"square"')
        labels.write_text(text)
    return folder


class TestPartialLabels:
    def test_each_task_is_chosen_on_the_first_that_labels_it(self, boxes, captions):
        data = gathered(boxes, captions, tasks=("detect", "caption"))
        assert {name: held.root for name, held in data.validation.items()} == {"detect": boxes, "caption": captions}
        assert [len(one.samples) for one in data.sets] == [6, 4]
        assert data.classes == NAMES

    def test_the_first_with_boxes_gives_the_classes(self, boxes, captions):
        data = gathered(captions, boxes, tasks=("detect", "caption"))
        assert data.classes == NAMES
        assert {name: held.root for name, held in data.validation.items()} == {"detect": boxes, "caption": captions}

    def test_one_dataset_may_be_enough_for_all_to_be_chosen_on(self, everything, captions):
        data = gathered(everything, captions, tasks=EVERY_TASK)
        assert {held.root for held in data.validation.values()} == {everything}
        assert set(data.validation) == set(EVERY_TASK)

    def test_each_photograph_teaches_what_it_labels(self, boxes, captions, everything):
        data = gathered(boxes, captions, everything, tasks=EVERY_TASK)
        wanted = dict.fromkeys(("segment", "scene"), 3)
        counts = data.counts(kinds(*EVERY_TASK))
        with_discs = sum(1 in sample.classes for sample in data.sets[2].samples)
        assert counts == {"detect": 9, **wanted, "pose": with_discs, "tags": 9, "embed": 9, "caption": 7}

    def test_the_counts_are_told(self, boxes, captions):
        notes, tasks = Notes(), ("detect", "caption", "tags")
        tell_data(gathered(boxes, captions, tasks=tasks), kinds(*tasks), notes)
        assert "10 photographs with 18 boxes of 2 classes to train on, 4 to choose on" in notes.notes[0]
        assert notes.notes[1] == "photographs that teach each task: detect 6, caption 4, tags 6"

    def test_of_one_task_no_counts_are_told(self, boxes):
        notes = Notes()
        tell_data(gathered(boxes), kinds("detect"), notes)
        assert len(notes.notes) == 1

    def test_captions_are_read_where_there_is_nothing_else(self, captions):
        data = gathered(captions, tasks=("caption",))
        assert data.classes == ()
        assert not any(sample.boxed for sample in data.samples)
        assert all(len(sample.label(CaptionLabels).captions) == 2 for sample in data.samples)


class TestWhatIsHeldOut:
    def test_of_a_dataset_that_nothing_is_chosen_on_all_is_trained_on(self, boxes, tmp_path):
        more = drawn_dataset(tmp_path, train=10, val=2) / "annotations" / "instances_train.json"
        more = more.rename(tmp_path / "images" / "train" / "labels.json")  # of no split
        assert [len(one.samples) for one in gathered(boxes, more).sets] == [6, 10]

    def test_of_one_that_a_task_is_chosen_on_a_fifth_is_held_out(self, boxes, tmp_path):
        (captions_alone(tmp_path, train=10) / "annotations" / "captions_val.json").unlink()
        data = gathered(boxes, tmp_path, tasks=("detect", "caption"))
        assert [len(one.samples) for one in data.sets] == [6, 8]
        held = data.validation["caption"].samples
        assert len(held) == 2
        assert not {sample.path for sample in held} & {sample.path for sample in data.samples}


class TestClasses:
    def test_boxes_are_renamed(self, boxes, tmp_path):
        other = swapped(drawn_dataset(tmp_path, train=6, val=2))
        ours, theirs = gathered(boxes, other).sets
        assert theirs.classes == ours.classes == NAMES
        for one, two in zip(ours.samples, theirs.samples, strict=True):
            np.testing.assert_array_equal(two.classes, 1 - one.classes)

    def test_masks_know_the_new_numbers_of_what_is_complete(self, boxes, tmp_path):
        other = drawn_with_everything(tmp_path, train=3, val=2)
        for split in ("train", "val"):
            content = read_file(other, "instances", split)
            content["images"] = [{**image, "mask_complete_disc": True} for image in content["images"]]
            write_file(other, "instances", split, content)
        data = gathered(boxes, swapped(other), tasks=("detect", "segment"))
        complete = {sample.label(MaskLabels).complete for sample in data.sets[1].samples}
        assert complete == {frozenset({1})}  # "disc", which is the first class over there

    def test_complete_in_all_classes_of_a_dataset_is_not_in_all_that_there_are(self, boxes, tmp_path):
        other = shrunk(drawn_with_everything(tmp_path, train=6, val=4), "disc")
        data = gathered(boxes, other, tasks=("detect", "segment"))
        assert data.sets[1].classes == NAMES
        found = {sample.label(MaskLabels).complete for sample in data.sets[1].samples}
        assert found == {frozenset({1})}
        assert all((sample.classes == 1).all() for sample in data.sets[1].samples)

    def test_error_a_class_that_the_first_lacks(self, boxes, tmp_path):
        small = shrunk(drawn_dataset(tmp_path, train=6, val=4), "disc")
        with pytest.raises(DataError, match=r"lacks: square.*name the dataset with all classes first"):
            gathered(small, boxes)


class TestWhatIsMissing:
    @pytest.mark.parametrize("task", ["segment", "pose", "scene", "caption"])
    def test_error_a_task_that_nothing_labels(self, boxes, task):
        with pytest.raises(DataError, match=f"label nothing for the task '{task}' to learn from.*leave the task out"):
            gathered(boxes, tasks=("detect", task))

    @pytest.mark.parametrize("task", ["detect", "tags", "embed"])
    def test_error_no_boxes(self, captions, task):
        with pytest.raises(DataError, match=f"label nothing for the task '{task}' to learn from"):
            gathered(captions, tasks=("caption", task))

    def test_error_nothing_to_choose_on(self, tmp_path):
        other = drawn_with_everything(tmp_path, train=2, val=2)
        (other / "annotations" / "captions_val.json").unlink()
        with pytest.raises(DataError, match="label nothing for the task 'caption' to choose on"):
            gathered(other, tasks=("detect", "caption"))

    def test_error_no_data(self):
        with pytest.raises(ConfigError, match="nothing to train on"):
            gathered()

    @pytest.mark.parametrize(("name", "told"), [("poes", "did you mean 'pose'"), ("qqq", ", ".join(KNOWN))])
    def test_error_a_task_that_nobody_knows(self, boxes, tmp_path, name, told):
        with pytest.raises(ConfigError, match=f"there is no task '{name}'.*{told}"):
            train(Recipe(data=(boxes,), tasks=("detect", name), output=tmp_path / "run"))
        assert not (tmp_path / "run").exists()

    def test_error_a_task_without_the_one_that_it_speaks_of(self, everything, tmp_path):
        recipe = Recipe(data=(everything,), model="debug", tasks=("pose",), size=64, output=tmp_path / "run")
        with pytest.raises(ConfigError, match="'pose' speaks of what 'detect' finds"):
            train(recipe)
        assert not (tmp_path / "run").exists()


class TestPlans:
    def test_every_plan_comes_from_the_labels(self, everything):
        plans = gathered(everything, tasks=EVERY_TASK).plans(Uses(), kinds(*EVERY_TASK))
        assert plans["detect"] == {"classes": list(NAMES)}
        assert plans["pose"]["classes"] == ["disc"]
        assert plans["scene"]["classes"] == ["other", *NAMES]
        assert plans["tags"] == {"names": list(NAMES), "single": False}
        assert {"square", "disc", "dark"} <= set(plans["caption"]["words"])

    def test_knowledge_is_told_where_it_is_not_as_published(self, everything):
        uses = Uses(alignment=Operator.CONCAT, sizes=True)
        plans = gathered(everything, tasks=EVERY_TASK).plans(uses, kinds(*EVERY_TASK))
        assert {plan["knowledge"]["alignment"] for plan in plans.values()} == {"concat"}
        assert [name for name, plan in plans.items() if plan["knowledge"]["sizes"]] == ["detect"]

    def test_shares_stand_beside_their_datasets(self, boxes, captions):
        data = gathered(boxes, captions, tasks=("detect", "caption"))
        assert data.shares(()) == []
        assert data.shares((3.0, 1.0)) == [Share(6, 3.0), Share(4, 1.0)]

    def test_error_shares_that_fit_no_datasets(self, boxes):
        with pytest.raises(ConfigError, match="do not fit 1 datasets"):
            replace(Recipe(data=(boxes,)), shares=(1.0, 2.0))


class TestWholePhotographs:
    def test_mosaics_leave_half_of_them_to_tasks_that_learn_from_nothing_else(self) -> None:
        notes, tasks = Notes(), {"detect": Detect, "tags": Tagging, "caption": Captioning}
        assert leaving_whole(Augment(), tasks, notes) == Augment(mosaic=0.5)
        assert notes.notes == ["mosaics for 50% of the photographs: tags and caption learn from whole ones alone"]

    def test_nothing_is_changed_or_told_otherwise(self) -> None:
        notes = Notes()
        assert leaving_whole(Augment(), {"detect": Detect}, notes) == Augment()
        assert leaving_whole(Augment(mosaic=0.3), {"tags": Tagging}, notes) == Augment(mosaic=0.3)
        assert notes.notes == []
