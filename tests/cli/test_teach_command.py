"""`tacit teach`, then `tacit predict --knowledge` and `tacit info` with what it wrote."""

import json

import pytest
from commands import run
from swatches import colour_folders

OPTIONS = ("--task", "tags", "--size", "64", "--epochs", "1", "--workers", "0")


@pytest.fixture
def folder(tmp_path):
    return colour_folders(tmp_path / "colours", each=5)


def test_teach_then_predict_with_two_then_info(folder, weights, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    for name in ("one", "two"):
        assert run("teach", *OPTIONS, "--weights", weights, "--data", folder, "--name", name) == 0
        printed = capsys.readouterr().out
        assert "untaught: top1" in printed
        assert f"--knowledge {name}.safetensors" in printed
        assert (tmp_path / f"{name}.safetensors").stat().st_size < 1_000_000
    knowledge = ("--knowledge", "one.safetensors", "--knowledge", "two.safetensors")
    photo = next((folder / "red").iterdir())
    assert run("predict", *knowledge, photo, "--weights", weights, "--output", "out", "--json") == 0
    (line,) = (tmp_path / "out/results.jsonl").read_text().splitlines()
    assert set(json.loads(line)["one"]) == set(json.loads(line)["two"]) == {"red", "green", "blue"}
    capsys.readouterr()
    assert run("info", "one.safetensors") == 0
    printed = capsys.readouterr().out
    assert all(text in printed for text in ("tags", "blue, green, red", "colours, val", "debug"))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--data", "{folder}"), "--name"),
        (("--data", "{folder}", "--name", "detect"), "already"),
        (("--data", "gone", "--name", "birds"), "gone is not there"),
        (("--data", "{folder}", "--name", "birds", "--output", "gone/birds.safetensors"), "no file can be written"),
        (("--data", "{folder}", "--name", "birds", "--weights", "gone"), "no weights file at gone"),
        (("--data", "{folder}", "--name", "birds", "--batch", "0"), "batch=0"),
    ],
)
def test_teach_says_what_is_wrong_without_a_traceback(arguments, message, folder, weights, capsys):
    given = [argument.format(folder=folder) for argument in arguments]
    chosen = [] if "--weights" in given else ["--weights", weights]
    assert run("teach", *OPTIONS, *given, *chosen) == 2
    printed = capsys.readouterr()
    assert message in printed.err
    assert "Traceback" not in printed.err


def test_predict_refuses_knowledge_of_another_trunk(folder, weights, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert run("teach", *OPTIONS, "--weights", weights, "--data", folder, "--name", "one") == 0
    capsys.readouterr()
    assert (
        run("predict", folder, "--knowledge", "one.safetensors", "--output", tmp_path / "out") == 2
    )  # the bundled nano
    error = capsys.readouterr().err
    assert "was taught to the trunk" in error
    assert "'debug'" in error
    assert "'nano'" in error


def test_help_of_teaching_does_without_torch():
    from commands import child

    code = (
        "import sys\nfrom tacit.cli import main\n"
        "try: main(['teach', '--help'])\nexcept SystemExit: pass\nprint('torch' in sys.modules)"
    )
    assert child("-c", code).stdout.splitlines()[-1] == "False"
