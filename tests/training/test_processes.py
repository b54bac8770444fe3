"""Two processes on gloo do together what one process does alone."""

import json
import os
import socket
import subprocess
import sys

import pytest
from drawn import drawn_dataset

OPTIONS = ["--model=debug", "--epochs=2", "--batch=8", "--size=64", "--workers=0"]
CALM = ["--optimiser.learning-rate=0.001", "--optimiser.warmup-bias-rate=0"]  # a wild start multiplies the last bits


def log(folder):
    return [json.loads(line) for line in (folder / "log.jsonl").read_text().splitlines()]


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return str(probe.getsockname()[1])


def run(launcher, data, output):
    """`launcher tacit train` with one thread a process."""
    command = [sys.executable, "-m", *launcher, "tacit", "train", "--data", str(data), "--output", str(output)]
    done = subprocess.run(
        [*command, *OPTIONS, *CALM],
        env={**os.environ, "OMP_NUM_THREADS": "1"},
        capture_output=True,
        timeout=600,
    )
    assert done.returncode == 0, done.stderr.decode()


@pytest.mark.slow
def test_two_processes_give_the_losses_of_one(tmp_path):
    data = drawn_dataset(tmp_path / "data", train=24, val=4)
    run([], data, tmp_path / "one")
    address = ["--master-addr=127.0.0.1", f"--master-port={free_port()}"]
    run(["torch.distributed.run", "--nproc-per-node=2", *address, "-m"], data, tmp_path / "two")
    for one, two in zip(log(tmp_path / "one"), log(tmp_path / "two"), strict=True):
        for name in ("loss", "loss/detect/box", "loss/detect/objectness", "loss/detect/classes"):
            assert two[name] == pytest.approx(one[name], rel=1e-4), name
