"""`tacit train`: a run, its bar and its exit codes."""

import pytest
from commands import run

from tacit.cli.train import Screen


@pytest.mark.slow
def test_train_then_val_then_resume(dataset, tmp_path, capsys):
    out = tmp_path / "run"
    options = ("--model", "debug", "--epochs", "1", "--size", "64", "--batch", "4", "--workers", "0", "--scratch")
    assert run("train", "--data", dataset, *options, "--output", out) == 0
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


@pytest.mark.parametrize(
    ("notes", "code"),
    [((), 0), (("note: a.json:3: clipped",), 0), (("left out: a.jpg: is empty",), 1), (("left out (1 so far): a",), 1)],
)
def test_train_returns_1_if_something_was_left_out(notes, code, dataset, tmp_path, monkeypatch, capsys):
    def train(recipe, reporter):
        for note in notes:
            reporter.note(note)
        return tmp_path

    monkeypatch.setattr("tacit.training.loop.train", train)
    assert run("train", "--data", dataset) == code
    assert all(note in capsys.readouterr().out for note in notes[:1])
