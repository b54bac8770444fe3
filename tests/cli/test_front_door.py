"""`tacit` itself: help, version, and how every command ends."""

import subprocess
import sys
from time import perf_counter

import pytest
import torch
from commands import child, run

import tacit
from tacit.cli import COMMANDS


def test_help_names_every_command(capsys):
    assert run("--help") == run("-h") == run() == 0
    text = capsys.readouterr().out
    assert all(f"  {name} " in text for name in COMMANDS)


def test_version(capsys):
    assert run("--version") == 0
    assert capsys.readouterr().out == f"tacit {tacit.__version__}\n"


def test_help_is_quick_and_imports_nothing_heavy():
    code = (
        "import sys; from tacit.cli import main; main(['--help'])\n"
        "print(sorted({'torch', 'numpy', 'tyro', 'rich', 'cv2', 'PIL'} & set(sys.modules)))"
    )
    assert child("-c", code).stdout.splitlines()[-1] == "[]"
    times = []
    for _ in range(3):  # the machine may be busy; the best of three counts
        start = perf_counter()
        assert child("-m", "tacit", "--help").returncode == 0
        times.append(perf_counter() - start)
    assert min(times) < 0.3


def test_help_of_training_does_without_torch():
    code = (
        "import sys\nfrom tacit.cli import main\n"
        "try: main(['train', '--help'])\nexcept SystemExit: pass\nprint('torch' in sys.modules)"
    )
    assert child("-c", code).stdout.splitlines()[-1] == "False"


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_help(command, capsys):
    assert run(command, "--help") == 0
    assert f"usage: tacit {command}" in capsys.readouterr().out


def test_an_unknown_command_is_answered_with_the_nearest(capsys):
    assert run("predcit", "x.jpg") == 2
    assert "perhaps you mean 'tacit predict'" in capsys.readouterr().err
    assert run("frobnicate") == 2
    assert "see 'tacit --help'" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "near"),
    [
        (("predict", "x.jpg", "--confidnce", "0.3"), "--confidence"),
        (("train", "--epoch", "3"), "--epochs"),
        (("val", "--dat", "x"), "--data"),
        (("data", "x", "--spilt", "val"), "--split"),
    ],
)
def test_a_mistyped_option_is_answered_with_the_nearest(arguments, near, capsys):
    assert run(*arguments) == 2
    assert near in capsys.readouterr().err


def test_interruption_is_130(monkeypatch, capsys, photos, weights):
    def interrupt(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr("tacit.cli.predict.predict_files", interrupt)
    assert run("predict", photos, "--weights", weights, "--no-pictures") == 130
    assert capsys.readouterr().err == "interrupted\n"


def test_a_reader_that_has_had_enough_ends_it_quietly(photos, weights):
    command = f"{sys.executable} -m tacit predict {photos} --weights {weights} --no-pictures | true"
    done = subprocess.run(["bash", "-c", f"{command}; exit ${{PIPESTATUS[0]}}"], capture_output=True, check=False)
    assert (done.returncode, done.stderr) == (141, b"")


def test_a_full_disk_is_an_error_in_one_line(monkeypatch, capsys, photos, weights, tmp_path):
    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("tacit.predict.writers.JsonLines.write", full)
    assert run("predict", photos, "--weights", weights, "--no-pictures", "--json", "--output", tmp_path) == 2
    assert capsys.readouterr().err == "error: [Errno 28] No space left on device\n"


def test_an_error_of_the_program_itself_comes_out_as_one_line():
    done = child("-m", "tacit", "predict", "gone.jpg")
    assert done.returncode == 2
    assert done.stderr.startswith("error: there is no file or folder gone.jpg")
    assert len(done.stderr.splitlines()) == 1


def test_too_little_memory_is_an_error_in_one_line(monkeypatch, capsys, photos, weights):
    errors = [
        MemoryError("Unable to allocate 9 GiB"),
        torch.OutOfMemoryError("CUDA out of memory.\nTried"),
        RuntimeError("[enforce fail] DefaultCPUAllocator: can't allocate memory: 9 bytes"),
    ]
    for error in errors:
        monkeypatch.setattr("tacit.cli.predict.predict_files", _raising(error))
        assert run("predict", photos, "--weights", weights, "--no-pictures") == 2
        (line,) = capsys.readouterr().err.splitlines()
        assert line.startswith("error: the memory does not suffice: ")
        assert "smaller --batch" in line


def test_a_fault_of_ours_keeps_its_traceback(monkeypatch, photos, weights):
    monkeypatch.setattr("tacit.cli.predict.predict_files", _raising(RuntimeError("shapes differ")))
    with pytest.raises(RuntimeError, match="shapes differ"):
        run("predict", photos, "--weights", weights, "--no-pictures")


def _raising(error):
    def fail(*_):
        raise error

    return fail
