"""Exports in the cache folder: taken from there the second time, never a damaged one, never too many."""

import pytest
import torch
from seven import network_of_seven, record_of_seven

from tacit.runtime import exports


class Exported:
    """What `to_onnx` would give."""

    def __init__(self, content: bytes) -> None:
        self.content = content

    def SerializeToString(self) -> bytes:  # noqa: N802  as protobuf calls it
        return self.content


@pytest.fixture
def calls(monkeypatch, tmp_path):
    monkeypatch.setenv("TACIT_CACHE", str(tmp_path))
    made = []

    def to_onnx(network, record):
        made.append(record)
        return Exported(b"model %d" % len(made))

    monkeypatch.setattr(exports, "to_onnx", to_onnx)
    return made


@pytest.fixture(scope="module")
def network():
    return network_of_seven()


def test_value_once_is_enough(calls, network):
    assert exports.exported(network, record_of_seven()) == b"model 1"
    assert exports.exported(network, record_of_seven()) == b"model 1"
    assert exports.exported(network.only(["tags"]), record_of_seven()) == b"model 2"


def test_value_other_weights_are_another_export(calls):
    network = network_of_seven()
    exports.exported(network, record_of_seven())
    with torch.no_grad():
        next(network.parameters()).add_(1)
    assert exports.exported(network, record_of_seven()) == b"model 2"


def test_value_a_damaged_one_is_not_taken(calls, network, tmp_path):
    exports.exported(network, record_of_seven())
    (file,) = (tmp_path / "exports").iterdir()
    file.write_bytes(b"something else")
    assert exports.exported(network, record_of_seven()) == b"model 2"


def test_value_the_oldest_go(calls, network, tmp_path):
    tasks = list(network.tasks)
    for count in range(1, len(tasks) + 1):
        exports.exported(network.only(tasks[:count]), record_of_seven())
    assert len(list((tmp_path / "exports").iterdir())) == exports.MOST


def test_value_a_folder_that_cannot_be_written(calls, network, tmp_path, monkeypatch):
    (tmp_path / "file").touch()
    monkeypatch.setenv("TACIT_CACHE", str(tmp_path / "file"))
    assert exports.exported(network, record_of_seven()) == b"model 1"
    assert exports.exported(network, record_of_seven()) == b"model 2"
