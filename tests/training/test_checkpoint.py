"""Checkpoints are whole or absent, and run nothing."""

import os
import pickle

import pytest
import torch

from tacit.atomic import replacing
from tacit.errors import WeightsError
from tacit.training.checkpoint import load_checkpoint, save_checkpoint


def test_round_trip(tmp_path):
    state = {"epoch": 3, "rows": [{"loss": 0.5}], "network": {"w": torch.rand(3)}}
    save_checkpoint(state, tmp_path / "c.pt")
    again = load_checkpoint(tmp_path / "c.pt", state)
    assert again["epoch"] == 3
    assert again["rows"] == state["rows"]
    assert torch.equal(again["network"]["w"], state["network"]["w"])


def test_a_failed_write_leaves_the_old_file(tmp_path):
    path = tmp_path / "c.pt"
    path.write_bytes(b"old")
    with pytest.raises(TypeError), replacing(path) as file:
        file.writelines([b"ne", "w"])  # fails half way
    assert path.read_bytes() == b"old"


class Harm:
    """A pickle that would make a folder when it is loaded."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return os.mkdir, (str(self.path),)


def test_a_harmful_checkpoint_does_nothing(tmp_path):
    target, path = tmp_path / "harm", tmp_path / "c.pt"
    torch.save({"epoch": Harm(target)}, path)
    with pytest.raises(WeightsError, match=r"cannot be trusted.*mkdir"):
        load_checkpoint(path, {"epoch"})
    assert not target.exists()


@pytest.mark.parametrize("content", [b"", b"<html>", pickle.dumps({"a": 1})[:5], b"\x80\x02.", b"\x80\x02X\x01"])
def test_damaged_checkpoints(tmp_path, content):
    path = tmp_path / "c.pt"
    path.write_bytes(content)
    with pytest.raises(WeightsError, match=r"c\.pt"):
        load_checkpoint(path, {"epoch"})


def test_missing(tmp_path):
    with pytest.raises(WeightsError, match="no checkpoint"):
        load_checkpoint(tmp_path / "c.pt", {"epoch"})


@pytest.mark.parametrize("state", [[1, 2], {"step": 3}, {"epoch": 1, "step": 3}])
def test_other_contents(tmp_path, state):
    path = tmp_path / "c.pt"
    torch.save(state, path)
    with pytest.raises(WeightsError, match="no checkpoint of a run"):
        load_checkpoint(path, {"epoch"})
