"""`tacit train`: a run, its bar, what it says of faults, and its exit codes."""

import json

import pytest
from commands import run

from tacit.cli.train import TOLD, Screen
from tacit.data.sample import Fault

SMALL = ("--model", "debug", "--epochs", "1", "--size", "64", "--batch", "4", "--workers", "0", "--scratch")


@pytest.mark.slow
def test_train_then_val_then_resume(dataset, tmp_path, capsys):
    out = tmp_path / "run"
    assert run("train", "--data", dataset, *SMALL, "--output", out) == 0
    printed = capsys.readouterr().out
    assert "epoch 1/1" in printed
    assert f"the best weights are {out / 'best.safetensors'}" in printed
    assert run("val", "--data", dataset, "--weights", out / "best.safetensors", "--output", tmp_path / "val") == 0
    assert run("train", "--resume", out) == 0


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((), "nothing to train on"),
        (("--resume", "gone"), "gone is not the folder of a run"),
        (("--resume", "gone", "--epochs", "3"), "no other option"),
        (("--data", "gone"), "gone is not there"),
        (("--data", "{dataset}", "--model", "nanoo"), "nano"),
        (("--data", "{dataset}", "--epochs", "0"), "epochs=0"),
        (("--data", "{dataset}", "--size", "100"), "size=100"),
        (("--data", "{dataset}", "--weights", "gone.safetensors"), "gone.safetensors"),
        (("--data", "{dataset}", "--tasks", "detect,poes"), "did you mean 'pose'"),
        (("--data", "{dataset}", "--tasks", "detect", "pose"), "label nothing for the task 'pose' to learn from"),
        (("--data", "{dataset}", "--learn", "tags"), "learn names 'tags', which is none of the tasks"),
        (("--data", "{dataset}", "--shares", "1", "2"), "do not fit 1 dataset"),
        (("--data", "{dataset}", "--knowledge.refinement", "concat"), "cannot be refined by concat"),
    ],
)
def test_train_says_what_is_wrong_without_a_traceback(arguments, message, dataset, tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert run("train", *(argument.format(dataset=dataset) for argument in arguments)) == 2
    printed = capsys.readouterr()
    assert message in printed.err
    assert "Traceback" not in printed.err


LOSSES = {"loss": 2.5}


@pytest.fixture
def clocked():
    """A screen of two epochs of four photographs a batch, and its clock."""
    screen, now = Screen(2, 4), [0.0]
    screen.bar.get_time = lambda: now[0]
    return screen, now


def test_the_bar_tells_speed_and_time_left(clocked):
    screen, now = clocked
    for step in (1, 2, 3):
        now[0] += 8
        screen.step(0, step, 10, LOSSES)
    task = screen.bar.tasks[0]
    assert (task.completed, task.total, task.description) == (3, 20, "epoch 1/2")
    assert task.fields["rate"] == "0.5 photographs/s  loss 2.500"
    assert task.time_remaining == 17 * 8


def test_what_a_resumed_run_had_done_does_not_make_it_look_fast(clocked):
    screen, now = clocked
    for step in (6, 7, 8):
        now[0] += 8
        screen.step(1, step, 10, LOSSES)
    task = screen.bar.tasks[0]
    assert task.completed == 18
    assert task.fields["rate"] == "0.5 photographs/s  loss 2.500"
    assert task.time_remaining == 2 * 8


def faults(count, lost):
    return [Fault(f"{number}.jpg", "is wrong", lost) for number in range(count)]


@pytest.mark.parametrize(
    ("found", "lines", "summary"),
    [
        ([], 0, None),
        (faults(1, "nothing"), 1, "0 photographs and 0 labels left out, 1 note"),
        (faults(1, "image") * 3, 1, "1 photograph and 0 labels left out, 0 notes"),
        (faults(TOLD + 3, "label") + faults(2, "image"), TOLD + 2, "2 photographs and 8 labels left out, 0 notes"),
    ],
)
def test_train_that_reached_its_end_is_fine_and_says_what_was_left_out(
    found, lines, summary, dataset, tmp_path, monkeypatch, capsys
):
    def train(recipe, reporter):
        for fault in found:
            reporter.fault(fault)
        return tmp_path

    monkeypatch.setattr("tacit.training.loop.train", train)
    assert run("train", "--data", dataset) == 0
    printed = capsys.readouterr()
    assert printed.out == ""
    *told, last = printed.err.splitlines() or [None]
    assert len(told) == lines
    assert last == (summary and f"faults in the data: {summary}; tacit data names each")


def test_a_run_that_did_not_reach_its_end_says_no_summary(capsys):
    def interrupted():
        with Screen(1, 4) as screen:
            screen.fault(*faults(1, "image"))
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert capsys.readouterr().err == "left out: 0.jpg: is wrong\n"


@pytest.fixture
def faulty(dataset):
    """The dataset with one box outside of its photograph."""
    file = dataset / "annotations/instances_train.json"
    labels = json.loads(file.read_text())
    labels["annotations"][0]["bbox"] = [900, 8, 60, 40]
    file.write_text(json.dumps(labels))
    return dataset


@pytest.mark.slow
def test_a_label_that_is_left_out_stops_nothing_behind_it(faulty, tmp_path, capsys):
    assert run("train", "--data", faulty, *SMALL, "--output", tmp_path / "run") == 0
    first, last = capsys.readouterr().err.splitlines()
    assert first.startswith("left out: ")
    assert "0 photographs and 1 label left out" in last
    assert run("data", faulty, "--output", tmp_path / "data") == 1


def test_strict_stops_at_a_fault(faulty, tmp_path, capsys):
    assert run("train", "--data", faulty, *SMALL, "--strict", "--output", tmp_path / "run") == 2
    assert "lies outside" in capsys.readouterr().err
    assert not (tmp_path / "run").exists()
