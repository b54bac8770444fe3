"""One network for every task: one command trains them all, one scores them, one draws them, from one checkpoint."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from commands import run
from drawn import NAMES
from drawn_many import EVERY_TASK, drawn_with_everything
from PIL import Image
from test_training import Notes, assert_same, state_of

from tacit import api, weights
from tacit.data.augment import Augment
from tacit.training.balance import Balance
from tacit.training.loop import resume, train
from tacit.training.recipe import Algorithm, Optimiser, Recipe

SMALL = Recipe(
    model="debug",
    scratch=True,
    epochs=1,
    batch=4,
    size=64,
    workers=0,
    augment=Augment(mosaic=0.5, mixup=0.3),
    optimiser=Optimiser(algorithm=Algorithm.ADAMW, learning_rate=0.002),
)
OPTIONS = ("--model", "debug", "--scratch", "--epochs", "1", "--batch", "4", "--size", "64", "--workers", "0")


@pytest.fixture(scope="module")
def data(tmp_path_factory) -> Path:
    return drawn_with_everything(tmp_path_factory.mktemp("everything"), train=8, val=4)


@pytest.fixture(scope="module")
def trained(data, tmp_path_factory) -> Path:
    """A run of all seven tasks, from the command line."""
    out = tmp_path_factory.mktemp("runs") / "seven"
    knows = ("--knowledge.offsets", "--knowledge.sizes", "--balance.conflict-every", "1")
    assert run("train", "--data", data, "--tasks", ",".join(EVERY_TASK), *OPTIONS, *knows, "--output", out) == 0
    return out


class TestEverything:
    def test_training_tells_of_every_task(self, trained):
        row = json.loads((trained / "log.jsonl").read_text())
        for task in EVERY_TASK:
            assert 0 <= row[f"{task} score"] <= 1
            assert row[f"{task} images"] <= 4
            assert any(name.startswith(f"loss/{task}/") for name in row)
        assert row["choice"] == pytest.approx(sum(row[f"{task} score"] for task in EVERY_TASK) / len(EVERY_TASK))
        assert row["detect images"] == row["embed images"] == 4
        assert -1 <= row["detect and segment"] <= 1  # how far their gradients agree

    def test_one_checkpoint_knows_all(self, trained):
        record = weights.load(trained / "best.safetensors").record
        assert record.classes == NAMES
        assert set(record.plans()) == set(EVERY_TASK)
        knowledge = record.plans()["detect"]["knowledge"]
        assert (knowledge["alignment"], knowledge["offsets"], knowledge["sizes"]) == ("add", True, True)
        assert {name.partition("/")[0] for name in record.figures} >= set(EVERY_TASK) - {"detect"}

    def test_one_command_scores_all(self, data, trained, tmp_path, capsys):
        best = trained / "best.safetensors"
        assert run("val", "--data", data, "--weights", best, "--output", tmp_path / "val") == 0
        printed = capsys.readouterr().out
        scores = json.loads((tmp_path / "val" / "scores.json").read_text())
        assert scores.keys() >= {"ap", "evaluation", *EVERY_TASK} - {"detect"}
        assert "4 photographs" in printed
        for words in ("AP50", "mask", "OKS", "IoU", "mAP", "rank-1", "CIDEr"):
            assert words.lower() in printed.lower()

    def test_scores_are_those_that_the_record_holds(self, data, trained):
        """Training and `tacit val` score by the same code, on the same photographs."""
        from tacit.data.read import read
        from tacit.evaluate import evaluate, metrics_for
        from tacit.stages import SCORING

        model = api.load(trained / "best.safetensors")
        dataset = read(data, "val")
        for name in model.tasks:
            dataset = model.network.task(name).read(dataset)
        metrics = metrics_for(model.network, dataset)
        assert set(metrics) == set(EVERY_TASK)
        figures = evaluate(model.stages(SCORING), dataset, metrics).figures()
        assert figures == pytest.approx(
            model.record.figures, abs=1e-3
        )  # folded, and rounded to the weights of the file

    def test_one_command_draws_all(self, data, trained, tmp_path, capsys):
        out, source = tmp_path / "out", data / "images" / "val"
        options = ("--weights", trained / "best.safetensors", "--confidence", 1e-3, "--output", out)
        assert run("predict", source, *options, "--json") == 0
        capsys.readouterr()
        lines = [json.loads(line) for line in (out / "results.jsonl").read_text().splitlines()]
        assert len(lines) == len(list(out.glob("*.png"))) == 4
        for line in lines:
            assert line.keys() >= {"boxes", *EVERY_TASK} - {"detect"}
        with Image.open(out / "1000.png") as drawn:
            assert drawn.size == (128, 96)

    def test_only_what_is_asked_for_is_answered_and_drawn(self, data, trained, tmp_path, capsys):
        source, drawn = data / "images" / "val" / "1000.png", dict[str, bytes]()
        for only in ("pose", "tags", "pose,tags"):
            out = tmp_path / only
            options = ("--weights", trained / "best.safetensors", "--confidence", 1e-3, "--output", out)
            assert run("predict", source, *options, "--tasks", "pose,tags", "--only", only, "--json") == 0
            line = json.loads((out / "results.jsonl").read_text())
            assert set(EVERY_TASK) & line.keys() == {"pose", "tags"}
            drawn[only] = (out / "1000.png").read_bytes()
        assert len(set(drawn.values())) == 3
        capsys.readouterr()

    @pytest.mark.parametrize(
        ("options", "told"),
        [
            (("--tasks", "poes"), "detect"),
            (("--only", "poes"), "--only poes: nothing answers that"),
            (("--tasks", "tags", "--only", "pose"), "--only pose: nothing answers that"),
        ],
    )
    def test_what_nobody_answers_is_told(self, data, trained, tmp_path, capsys, options, told):
        best = trained / "best.safetensors"
        assert run("predict", data / "images" / "val", "--weights", best, "--output", tmp_path, *options) == 2
        printed = capsys.readouterr().err
        assert told in printed
        assert "Traceback" not in printed

    def test_a_head_that_is_not_asked_for_is_not_computed(self, trained):
        model = api.load(trained / "best.safetensors")
        stages = model.stages(tasks=("tags",))
        assert list(stages.network.tasks) == ["tags"]
        assert list(model.stages(tasks=("pose",)).network.tasks) == ["detect", "pose"]

    def test_answers_of_a_task_do_not_depend_on_the_others(self, trained):
        network = api.load(trained / "best.safetensors").network.eval()
        images = torch.rand(2, 3, 64, 96, generator=torch.Generator().manual_seed(0))
        with torch.inference_mode():
            together = network.decode(network(images))
            for name in EVERY_TASK:
                some = network.only([name])
                for part, values in some.decode(some(images))[name].items():
                    assert torch.equal(values, together[name][part]), (name, part)


class TestGoingOn:
    @pytest.mark.parametrize("stop_after", [2, 4])
    def test_stopping_changes_nothing(self, data, tmp_path, stop_after):
        """Weights of the tasks' losses are learned along, and stand in the checkpoint as well."""
        recipe = replace(
            SMALL,
            data=(data,),
            tasks=("detect", "tags", "pose"),
            output=tmp_path / "whole",
            epochs=2,
            checkpoint_minutes=0.0,
            balance=Balance(learned=True, conflict_every=2),
        )
        whole = train(recipe)
        with pytest.raises(KeyboardInterrupt):
            train(replace(recipe, output=tmp_path / "stopped"), Notes(stop_after))
        again = resume(tmp_path / "stopped")
        assert_same(state_of(whole), state_of(again))
        assert (whole / "last.safetensors").read_bytes() == (again / "last.safetensors").read_bytes()
        learned = state_of(whole)["weighing"]
        assert len(learned) == 3
        assert all(value != 0 for value in learned.values())

    def test_conflict_is_logged_for_every_pair(self, data, tmp_path):
        recipe = replace(SMALL, data=(data,), tasks=("detect", "tags", "caption"), output=tmp_path / "run")
        notes = Notes()
        train(replace(recipe, balance=Balance(conflict_every=1)), notes)
        pairs = {"detect and tags", "detect and caption", "tags and caption"}
        assert {name for name in notes.rows[0] if " and " in name} == pairs
        assert all(-1 <= notes.rows[0][pair] <= 1 for pair in pairs)

    def test_only_the_tasks_that_learn_change(self, data, tmp_path):
        """Neither weights nor statistics of what holds still, and so none of its answers."""
        recipe = replace(SMALL, data=(data,), tasks=("detect",), output=tmp_path / "first")
        first = train(recipe) / "last.safetensors"
        more = replace(recipe, tasks=("detect", "tags", "pose"), weights=first, scratch=False)
        taught = train(replace(more, learn=("tags",), output=tmp_path / "second")) / "last.safetensors"
        before, after = (weights.read(path)[1] for path in (first, taught))
        assert before.keys() <= after.keys()
        for name, value in before.items():
            assert torch.equal(value, after[name]), name
        images = torch.rand(2, 3, 64, 64, generator=torch.Generator().manual_seed(0))
        one, other = (weights.load(path).network.eval() for path in (first, taught))
        with torch.inference_mode():
            for a, b in zip(one(images)["detect"], other(images)["detect"], strict=True):
                assert torch.equal(a, b)

    def test_what_learns_does_change(self, data, tmp_path):
        recipe = replace(SMALL, data=(data,), tasks=("detect", "tags", "pose"), output=tmp_path / "first")
        first = train(recipe) / "last.safetensors"
        again = replace(recipe, weights=first, scratch=False, learn=("tags",), output=tmp_path / "second")
        taught = train(again) / "last.safetensors"
        before, after = (weights.read(path)[1] for path in (first, taught))
        changed = {name for name in before if not torch.equal(before[name], after[name])}
        assert changed
        assert all(name.startswith("tasks.tags.") for name in changed)
