"""A run that is killed without warning, again and again, ends with the weights of one that was left alone."""

import os
import random
import subprocess
import sys
import time

import pytest
import torch
from drawn import drawn_dataset

OPTIONS = ["--model=debug", "--epochs=3", "--batch=4", "--size=64", "--workers=1", "--checkpoint-minutes=0.002"]


def tacit(*arguments):
    """`tacit train` in a process of its own, on one thread."""
    return subprocess.Popen(
        [sys.executable, "-m", "tacit", "train", *arguments],
        env={**os.environ, "OMP_NUM_THREADS": "1"},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
    )


def finish(process):
    _, errors = process.communicate(timeout=600)
    assert process.returncode == 0, errors.decode()


def written(path):
    """When the file was last written; 0 where there is none."""
    return path.stat().st_mtime_ns if path.exists() else 0


def wait_for_newer(path, process, seconds=300):
    before, end = written(path), time.monotonic() + seconds
    while written(path) == before and process.poll() is None:
        assert time.monotonic() < end, f"{path} was not written"
        time.sleep(0.01)


@pytest.mark.slow
def test_kill_minus_nine(tmp_path):
    data = drawn_dataset(tmp_path / "data", train=24, val=4)
    finish(tacit("--data", str(data), "--output", str(tmp_path / "whole"), *OPTIONS))

    folder, chance, kills = tmp_path / "killed", random.Random(0), 0
    process = tacit("--data", str(data), "--output", str(folder), *OPTIONS)
    for _ in range(3):
        wait_for_newer(folder / "checkpoint.pt", process)
        time.sleep(chance.uniform(0.0, 0.5))  # anywhere: in a step, in validation, while a file is written
        process.kill()
        kills += process.wait() == -9
        process.stderr.close()
        process = tacit("--resume", str(folder))
    finish(process)
    assert kills >= 1

    ends = [torch.load(path / "checkpoint.pt", weights_only=True) for path in (tmp_path / "whole", folder)]
    for part in ("network", "average"):
        assert ends[0][part].keys() == ends[1][part].keys()
        for name, value in ends[0][part].items():
            assert torch.equal(value, ends[1][part][name]), name
    for name in ("last.safetensors", "best.safetensors"):
        assert (folder / name).read_bytes() == (tmp_path / "whole" / name).read_bytes()
