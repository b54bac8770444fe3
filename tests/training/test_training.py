"""Training runs: what they leave behind, that they learn, that they can be stopped anywhere."""

import json
import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from accelerate import Accelerator
from drawn import NAMES, drawn_dataset
from lessons import boxes_lesson
from PIL import Image
from torch import nn

from tacit import weights, zoo
from tacit.data.augment import PLAIN, Augment
from tacit.data.loader import Batch
from tacit.describe import blank
from tacit.errors import ConfigError, DataError, TacitError
from tacit.tasks.detect.gains import DetectGains
from tacit.training import learner
from tacit.training.learner import DivergedError, Learner
from tacit.training.loop import resume, train
from tacit.training.recipe import Algorithm, Optimiser, Precision, Recipe
from tacit.training.start import settled


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    return drawn_dataset(tmp_path_factory.mktemp("drawn"))


@pytest.fixture
def recipe(data, tmp_path):
    return Recipe(data=(data,), model="debug", output=tmp_path / "run", epochs=2, batch=8, size=64, workers=0)


class Notes:
    """A reporter that remembers, and stops the run after some steps."""

    def __init__(self, stop_after=math.inf):
        self.notes, self.rows, self.losses, self.stop_after = [], [], [], stop_after
        self.faults = []

    def note(self, text):
        self.notes.append(text)

    def fault(self, fault):
        self.faults.append(fault)

    def step(self, epoch, step, steps, losses):
        self.losses.append(losses["loss"])
        if len(self.losses) >= self.stop_after:
            raise KeyboardInterrupt

    def epoch(self, row):
        self.rows.append(row)


def batch_of(images, targets, *paths):
    """A batch that teaches detection alone, from rows (image, class, x, y, w, h)."""
    return Batch(images, targets, boxes_lesson(targets, len(images)), paths)


def state_of(folder):
    return torch.load(folder / "checkpoint.pt", weights_only=True)


def assert_same(a, b):
    """Two nested states are equal to the bit, but for what a clock said."""
    assert type(a) is type(b)
    if isinstance(a, dict):
        assert a.keys() == b.keys()
        for key in a.keys() - {"images_per_second", "seconds"}:
            assert_same(a[key], b[key])
    elif isinstance(a, list):
        assert len(a) == len(b)
        for x, y in zip(a, b, strict=True):
            assert_same(x, y)
    else:
        assert torch.equal(a, b) if isinstance(a, torch.Tensor) else a == b


def test_a_run_leaves_everything_behind(recipe):
    notes = Notes()
    folder = train(recipe, notes)
    names = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}
    wanted = {"recipe.json", "log.jsonl", "curves.png", "last.safetensors", "best.safetensors", "checkpoint.pt"}
    assert names == wanted | {"batches/epoch-001.png", "batches/epoch-002.png"}
    assert Recipe.from_json((folder / "recipe.json").read_text()) == settled(recipe)
    rows = [json.loads(line) for line in (folder / "log.jsonl").read_text().splitlines()]
    assert [row["epoch"] for row in rows] == [1, 2]
    assert rows == notes.rows
    assert {"loss", "loss/detect/box", "learning_rate", "ap", "ap50", "images_per_second"} <= rows[0].keys()
    assert "24 photographs with 72 boxes of 2 classes" in notes.notes[0]
    with Image.open(folder / "curves.png") as curves:
        assert curves.width > 500
    record = weights.load(folder / "best.safetensors").record
    assert record.classes == NAMES
    assert str(recipe.data[0].parent) not in record.to_json()


def test_a_taken_folder_is_left_alone(recipe):
    first = train(replace(recipe, epochs=1))
    second = train(replace(recipe, epochs=1))
    assert (first.name, second.name) == ("run", "run-2")


def test_it_learns(recipe):
    notes = Notes()
    plan = Optimiser(algorithm=Algorithm.ADAMW, learning_rate=0.005, warmup_steps=10)
    train(replace(recipe, epochs=20, augment=PLAIN, validate_every=20, optimiser=plan), notes)
    first, last = notes.rows[0], notes.rows[-1]
    assert last["loss"] < 0.75 * first["loss"]
    assert last["loss/detect/box"] < 0.8 * first["loss/detect/box"]


def test_golden_losses(recipe):
    """A refactor leaves these as they are: the losses of the first steps on one thread."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    notes = Notes()
    train(replace(recipe, epochs=1), notes)
    torch.set_num_threads(threads)
    golden = json.loads((Path(__file__).parents[1] / "golden" / "losses.json").read_text())
    assert notes.losses == pytest.approx(golden, rel=1e-4)  # processors differ in the last bits


@pytest.mark.parametrize("stop_after", [1, 4, 7, 9])
def test_stopping_anywhere_changes_nothing(recipe, data, tmp_path, stop_after):
    recipe = replace(recipe, epochs=4, batch=8, checkpoint_minutes=0.0, augment=Augment(mixup=0.3))
    whole = train(recipe)
    with pytest.raises(KeyboardInterrupt):
        train(replace(recipe, output=tmp_path / "stopped"), Notes(stop_after))
    again = resume(tmp_path / "stopped")
    assert_same(state_of(whole), state_of(again))
    for name in ("last.safetensors", "best.safetensors"):
        assert (whole / name).read_bytes() == (again / name).read_bytes()


def test_workers_change_nothing(recipe, tmp_path):
    alone = train(replace(recipe, workers=0))
    helped = train(replace(recipe, workers=2, output=tmp_path / "helped"))
    assert_same(state_of(alone), state_of(helped))


def test_accumulating_steps_equals_one_large_batch(data):
    """Gradients add up; batch norm is frozen by evaluation mode, so only the sums are compared."""
    gradients = []
    for batch, accumulate in ((8, 1), (4, 2)):
        recipe = Recipe(data=(data,), model="debug", batch=batch, accumulate=accumulate, size=64)
        torch.manual_seed(0)
        learner = Learner(zoo.debug(2), recipe, 2 * accumulate, Accelerator(cpu=True))
        learner.network.train = lambda mode=True, network=learner.network: nn.Module.train(network, False)
        seen = []

        def update(learner=learner, seen=seen):
            seen.append(learner.network.task("detect").heads[0].add.knowledge.z.grad.clone())
            return True

        learner._update = update
        torch.manual_seed(1)
        images = torch.randint(0, 256, (8, 3, 64, 64)).to(torch.uint8)
        targets = torch.tensor([[i, i % 2, 0.5, 0.5, 0.3, 0.4] for i in range(8)])
        for start in range(0, 8, batch):
            own = targets[start : start + batch].clone()
            own[:, 0] -= start
            learner.learn(batch_of(images[start : start + batch], own), 0, start // batch)
        gradients.append(seen)
    assert len(gradients[0]) == len(gradients[1]) == 1
    torch.testing.assert_close(gradients[0][0], gradients[1][0], rtol=1e-4, atol=1e-6)


def test_bf16_learns_like_fp32(recipe, tmp_path):
    calm = replace(recipe, optimiser=Optimiser(learning_rate=0.001, warmup_bias_rate=0.0))
    full, half = Notes(), Notes()
    train(replace(calm, precision=Precision.FP32), full)
    train(replace(calm, precision=Precision.BF16, output=tmp_path / "half"), half)
    assert half.losses == pytest.approx(full.losses, rel=0.1)
    assert half.losses != full.losses


@pytest.mark.parametrize(
    ("precision", "fast", "model", "half"),
    [
        (Precision.AUTO, True, "debug", False),
        (Precision.AUTO, True, "nano", False),
        (Precision.AUTO, True, "yolor-csp", True),
        (Precision.AUTO, False, "yolor-csp", False),
        (Precision.BF16, False, "debug", True),
        (Precision.FP32, True, "yolor-csp", False),
    ],
)
def test_half_precision_is_a_matter_of_the_processor_and_the_network(monkeypatch, precision, fast, model, half):
    """Of nothing that varies from run to run: a resumed run goes on to the same bits."""
    monkeypatch.setattr(learner, "gains_from_bfloat16", lambda device: fast)
    recipe = Recipe(precision=precision, size=320)
    assert learner.calculates_in_half(blank(model), recipe, torch.device("cpu")) is half


@pytest.mark.parametrize("native", [True, False])
def test_half_precision_on_a_gpu_that_has_it(monkeypatch, native):
    monkeypatch.setattr(learner, "has_bfloat16", lambda device: native)
    assert learner.calculates_in_half(blank("debug"), Recipe(), torch.device("cuda", 0)) is native


def test_losses_are_in_single_precision(recipe):
    """Whatever the network calculates in."""
    one = Learner(zoo.debug(2), replace(recipe, precision=Precision.BF16), 3, Accelerator(cpu=True))
    seen = []

    def look(outputs, lessons):
        seen.extend(outputs["detect"])
        raise KeyboardInterrupt

    one.learning.losses = look
    with pytest.raises(KeyboardInterrupt):
        one.learn(batch_of(torch.ones(2, 3, 64, 64, dtype=torch.uint8), torch.zeros(0, 6)), 0, 0)
    assert {level.dtype for level in seen} == {torch.float32}
    assert {value.dtype for value in one.network.parameters()} == {torch.float32}


def test_a_lost_loss_names_the_batch(recipe):
    learner = Learner(zoo.debug(2), recipe, 3, Accelerator(cpu=True))
    with torch.no_grad():
        learner.network.trunk.outs[0].conv.weight.fill_(math.nan)
    before = {name: value.clone() for name, value in learner.average.network.state_dict().items()}
    batch = batch_of(torch.zeros(1, 3, 64, 64, dtype=torch.uint8), torch.zeros(0, 6), Path("culprit.jpg"))
    with pytest.raises(DivergedError, match=r"epoch 2, step 3 .*culprit\.jpg"):
        learner.learn(batch, 1, 2)
    assert_same(before, dict(learner.average.network.state_dict()))


def test_a_lost_gradient_is_no_step(recipe):
    learner = Learner(zoo.debug(2), recipe, 3, Accelerator(cpu=True))
    before = {name: value.clone() for name, value in learner.network.named_parameters()}
    next(iter(before))
    learner.network.trunk.outs[0].conv.weight.register_hook(lambda gradient: gradient * math.inf)
    batch = batch_of(torch.ones(2, 3, 64, 64, dtype=torch.uint8), torch.tensor([[0, 1, 0.5, 0.5, 0.3, 0.4]]))
    with pytest.raises(DivergedError, match="gradient nan"):
        learner.learn(batch, 0, 0)
    for name, value in learner.network.named_parameters():
        assert torch.equal(value, before[name]), name


def test_gains_reach_the_loss(recipe, tmp_path):
    plain, heavy = Notes(), Notes()
    train(replace(recipe, epochs=1), plain)
    train(replace(recipe, epochs=1, gains=DetectGains(box=0.5), output=tmp_path / "heavy"), heavy)
    assert heavy.rows[0]["loss/detect/box"] > 5 * plain.rows[0]["loss/detect/box"]


def test_clipping_bounds_the_step(recipe):
    recipe = replace(recipe, optimiser=Optimiser(clip=1e-3))
    learner, norms = Learner(zoo.debug(2), recipe, 3, Accelerator(cpu=True)), []
    step = learner.optimiser.step

    def watched():
        gradients = [p.grad.norm() for p in learner.network.parameters() if p.grad is not None]
        norms.append(torch.stack(gradients).norm().item())
        step()

    learner.optimiser.step = watched
    images = torch.from_numpy(np.random.default_rng(0).integers(0, 256, (8, 3, 64, 64), np.uint8))
    learner.learn(batch_of(images, torch.tensor([[0, 1, 0.5, 0.5, 0.3, 0.4]])), 0, 0)
    assert norms == [pytest.approx(1e-3, rel=1e-2)]


class TestStart:
    def test_other_classes_keep_the_trunk(self, recipe, tmp_path):
        torch.manual_seed(5)
        source = zoo.debug(7)
        path = tmp_path / "seven.safetensors"
        weights.save(source, weights.Record(model="debug", classes=tuple("abcdefg"), input_size=64), path)
        notes = Notes(stop_after=1)
        with pytest.raises(KeyboardInterrupt):
            train(replace(recipe, weights=path, checkpoint_minutes=0.0, optimiser=Optimiser(learning_rate=0.0)), notes)
        assert any("heads are new" in note for note in notes.notes)

    def test_the_wrong_model_is_refused(self, recipe, tmp_path):
        path = tmp_path / "nano.safetensors"
        weights.save(zoo.nano(2), weights.Record(model="nano", classes=NAMES, input_size=64), path)
        with pytest.raises(TacitError, match="holds a 'nano'"):
            train(replace(recipe, weights=path))

    def test_a_run_that_was_stopped_before_its_first_checkpoint_begins_again_there(self, recipe, tmp_path):
        """With the weights that it was told to start from, and their licence."""
        torch.manual_seed(5)
        path, recipe = tmp_path / "two.safetensors", replace(recipe, epochs=1)
        weights.save(zoo.debug(2), weights.Record(model="debug", classes=NAMES, input_size=64, licence="GPL-3.0"), path)
        whole = train(replace(recipe, weights=path))
        with pytest.raises(KeyboardInterrupt):
            train(replace(recipe, weights=path, output=tmp_path / "stopped"), Notes(stop_after=2))
        again = resume(tmp_path / "stopped")
        assert_same(state_of(whole), state_of(again))
        assert weights.load(again / "last.safetensors").record.licence == "GPL-3.0"


class TestMaterial:
    def test_a_second_dataset_with_unknown_classes_is_refused(self, recipe, tmp_path):
        other = drawn_dataset(tmp_path / "other", train=2, val=2)
        labels = other / "annotations/instances_train.json"
        labels.write_text(labels.read_text().replace('"disc"', '"sphere"'))
        with pytest.raises(DataError, match="sphere"):
            train(replace(recipe, data=(*recipe.data, other)))

    def test_classes_are_matched_by_name(self, recipe, tmp_path):
        other = drawn_dataset(tmp_path / "other", train=2, val=2)
        for labels in (other / "annotations").iterdir():
            text = labels.read_text().replace('"disc"', '"x"').replace('"square"', '"disc"').replace('"x"', '"square"')
            labels.write_text(text)
        notes = Notes()
        train(replace(recipe, data=(*recipe.data, other), epochs=1), notes)
        assert "26 photographs with 78 boxes" in notes.notes[0]

    def test_no_data_is_told(self):
        with pytest.raises(ConfigError, match="nothing to train on"):
            train(Recipe())

    def test_a_damaged_photograph_is_named_and_left_out(self, recipe, tmp_path):
        data = drawn_dataset(tmp_path / "damaged")
        victim = data / "images/train/0003.png"
        victim.write_bytes(victim.read_bytes()[:600])
        notes = Notes()
        train(replace(recipe, data=(data,), epochs=1), notes)
        assert {Path(fault.where).name for fault in notes.faults} == {"0003.png"}
        assert len(notes.rows) == 1

    def test_strict_stops_at_a_damaged_photograph(self, recipe, tmp_path):
        data = drawn_dataset(tmp_path / "damaged")
        victim = data / "images/train/0003.png"
        victim.write_bytes(victim.read_bytes()[:600])
        with pytest.raises(TacitError, match=r"0003\.png"):
            train(replace(recipe, data=(data,), strict=True))

    def test_nothing_to_choose_on_is_refused(self, recipe, tmp_path):
        data = drawn_dataset(tmp_path / "blind", train=4, val=2)
        labels = data / "annotations/instances_val.json"
        labels.write_text(json.dumps({**json.loads(labels.read_text()), "annotations": []}))
        with pytest.raises(DataError, match="label nothing for the task 'detect' to choose on"):
            train(replace(recipe, data=(data,)))

    def test_data_that_changed_cannot_be_resumed(self, recipe, tmp_path):
        data = drawn_dataset(tmp_path / "changing")
        with pytest.raises(KeyboardInterrupt):
            train(replace(recipe, data=(data,), checkpoint_minutes=0.0), Notes(stop_after=2))
        (data / "images/train/0003.png").unlink()
        with pytest.raises(ConfigError, match="bring the data back"):
            resume(tmp_path / "run")

    def test_resuming_what_is_no_run(self, tmp_path):
        with pytest.raises(ConfigError, match="not the folder of a run"):
            resume(tmp_path)
