"""Teaching a frozen network: what is taught is answered, and everything else stays as it was."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from drawn_many import POINTS, drawn_with_everything
from swatches import COLOURS, RECORD, colour_folders, network_of_two

from tacit.api import Model
from tacit.data.read import read
from tacit.data.sample import Fault
from tacit.errors import ConfigError, DataError, TacitError, WeightsError
from tacit.tasks.pose.answer import Poses
from tacit.tasks.tags.head import Tagging
from tacit.tasks.task import TaskLoss
from tacit.training import teach as teach_module
from tacit.training.course import Course
from tacit.training.learner import DivergedError
from tacit.training.teach import teach
from tacit.weights.files import Weights
from tacit.weights.knowledge_file import Taught, write

LOW = 1e-4


class Notes:
    """A reporter that remembers."""

    def __init__(self) -> None:
        self.notes, self.faults, self.losses = list[str](), list[Fault](), list[float]()

    def note(self, text: str) -> None:
        self.notes.append(text)

    def fault(self, fault: Fault) -> None:
        self.faults.append(fault)

    def step(self, epoch: int, step: int, steps: int, losses: dict[str, float]) -> None:
        self.losses.append(losses["loss"])

    def epoch(self, row: dict[str, float]) -> None:
        raise AssertionError("a course has no validation")


@pytest.fixture(scope="module")
def weights() -> Weights:
    return Weights(network_of_two(), RECORD)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return colour_folders(tmp_path_factory.mktemp("swatches") / "colours")


@pytest.fixture
def few(tmp_path: Path) -> Path:
    return colour_folders(tmp_path / "few", each=4)


def course(folder: Path, **changes: object) -> Course:
    return replace(Course(task="tags", data=folder, name="colours", size=64, workers=0, epochs=1), **changes)


@pytest.fixture(scope="module")
def lesson(weights: Weights, folder: Path) -> tuple[Taught, Notes]:
    notes = Notes()
    return teach(weights, course(folder, epochs=5, learning_rate=0.01), notes), notes


def test_the_record_says_where_it_comes_from(lesson: tuple[Taught, Notes]) -> None:
    record = lesson[0].record
    assert (record.name, record.task, record.model, record.licence) == ("colours", "tags", "debug", RECORD.licence)
    assert record.classes == tuple(sorted(COLOURS))
    assert (record.data, record.photographs, record.epochs, record.seed) == (("colours",), 48, 5, 0)
    assert record.scored_on == "colours, val"
    assert record.recipe["optimiser"]["learning_rate"] == 0.01
    assert "data" not in record.recipe  # paths are of one machine


def test_what_was_taught_is_answered_and_all_else_stays(
    lesson: tuple[Taught, Notes], weights: Weights, folder: Path, tmp_path: Path
) -> None:
    write(lesson[0], tmp_path / "colours.safetensors")
    model = Model(weights.network, weights.record)
    more = model.add(tmp_path / "colours.safetensors")
    held = read(folder, "val").samples
    right = 0
    for sample in held:
        one, other = model.predict(sample.path, confidence=LOW), more.predict(sample.path, confidence=LOW)
        assert np.array_equal(one.boxes, other.boxes)
        assert np.array_equal(one.scores, other.scores)
        assert np.array_equal(one.answers["tags"].scores, other.answers["tags"].scores)
        right += other.answers["colours"].names[0] == sample.path.parent.name
    assert right / len(held) == pytest.approx(lesson[0].record.after["top1"])


def test_teaching_changes_nothing_of_the_network(weights: Weights, few: Path) -> None:
    before = {name: value.clone() for name, value in weights.network.state_dict().items()}
    teach(weights, course(few))
    after = weights.network.state_dict()
    assert before.keys() == after.keys()
    assert all(torch.equal(value, after[name]) for name, value in before.items())
    assert all(parameter.requires_grad for parameter in weights.network.parameters())


def test_the_same_seed_teaches_the_same_bits(weights: Weights, few: Path) -> None:
    first, again, other = (teach(weights, course(few, seed=seed)).state for seed in (1, 1, 2))
    assert all(torch.equal(value, again[name]) for name, value in first.items())
    assert not all(torch.equal(value, other[name]) for name, value in first.items())


def test_a_frozen_detector_learns_poses(weights: Weights, tmp_path: Path) -> None:
    data = drawn_with_everything(tmp_path / "drawn", train=8, val=4)
    notes = Notes()
    taught = teach(weights, course(data, task="pose", name="ends", epochs=4, learning_rate=0.01), notes)
    assert np.mean(notes.losses[-1:]) < np.mean(notes.losses[:1])
    write(taught, tmp_path / "ends.safetensors")
    model = Model(weights.network, weights.record)
    result = model.add(tmp_path / "ends.safetensors").predict(data / "images/val/1000.png", confidence=LOW)
    poses, alone = result.answers["ends"], model.predict(data / "images/val/1000.png", confidence=LOW)
    assert isinstance(poses, Poses)
    assert poses.points.shape == (len(result), len(POINTS), 3)
    assert len(result) > 0
    assert np.array_equal(result.boxes, alone.boxes)


@pytest.mark.parametrize(
    ("changes", "kind", "message"),
    [
        ({"name": "tags"}, ConfigError, "has a task 'tags' already"),
        ({"name": "my birds"}, ConfigError, "cannot be called 'my birds'"),
        ({"name": "detect"}, ConfigError, "'detect' already"),
        ({"task": "detect"}, ConfigError, "those of one task"),
        ({"task": "taggs"}, ConfigError, "did you mean 'tags'"),
        ({"task": "caption"}, DataError, "label nothing for the task 'caption'"),
        ({"data": Path("gone")}, DataError, "gone is not there"),
        ({"size": 100}, ConfigError, "size=100"),
        ({"epochs": 0}, ConfigError, "epochs=0"),
        ({"learning_rate": -1.0}, ConfigError, "learning_rate"),
    ],
)
def test_what_cannot_be_taught_is_said(
    changes: dict, kind: type[TacitError], message: str, weights: Weights, few: Path
) -> None:
    with pytest.raises(kind, match=message):
        teach(weights, course(few, **changes))


def test_poses_need_a_detector(weights: Weights, tmp_path: Path) -> None:
    tagging = Model(weights.network, weights.record).remove("detect")
    data = drawn_with_everything(tmp_path / "drawn", train=4, val=2)
    with pytest.raises(ConfigError, match="what 'detect' finds"):
        teach(Weights(tagging.network, tagging.record), course(data, task="pose", name="ends"))


def test_too_large_knowledge_is_refused_before_the_work(
    weights: Weights, few: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(teach_module, "MOST", 30_000)
    notes = Notes()
    with pytest.raises(WeightsError, match="'tags' on the trunk of 'debug'"):
        teach(weights, course(few), notes)
    assert not notes.losses


def test_a_lost_loss_stops_the_course(weights: Weights, few: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def lost(self: Tagging, raw: list, targets: dict) -> TaskLoss:
        return TaskLoss(raw[0].sum() * torch.nan, {})

    monkeypatch.setattr(Tagging, "loss", lost)
    with pytest.raises(DivergedError, match="epoch 1, step 1"):
        teach(weights, course(few))


def test_photographs_that_cannot_be_read_are_named(weights: Weights, few: Path) -> None:
    damaged = read(few, "train").samples[0].path
    damaged.write_bytes(damaged.read_bytes()[:200])
    notes = Notes()
    teach(weights, course(few), notes)
    assert [(Path(fault.where).name, fault.lost) for fault in dict.fromkeys(notes.faults)] == [(damaged.name, "image")]
