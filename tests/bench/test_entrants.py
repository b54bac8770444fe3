"""Who takes part: what is named, and of what is not, what this machine has."""

import pytest
import torch

from tacit.bench import entrants as module
from tacit.bench.entrants import Eager, entrants
from tacit.errors import ConfigError
from tacit.runtime.torch_engine import TorchEngine
from tacit.runtime.ways import Way
from tacit.runtime.wish import EngineKind, PrecisionKind
from tacit.zoo import create

TORCH = [EngineKind.TORCH]


@pytest.mark.parametrize(
    ("bfloat16", "precisions", "told"),
    [
        (True, [], ["torch fp32", "torch bf16"]),
        (False, [], ["torch fp32"]),
        (False, [PrecisionKind.AUTO], ["torch fp32"]),
        (False, [PrecisionKind.BF16], ["torch bf16"]),
        (False, [PrecisionKind.AUTO, PrecisionKind.BF16], ["torch fp32", "torch bf16"]),
    ],
)
def test_value_of_precisions(monkeypatch, bfloat16, precisions, told):
    monkeypatch.setattr(module, "has_bfloat16", lambda: bfloat16)
    assert [str(way) for way in entrants(TORCH, precisions)] == told


def test_value_only_what_is_installed_unless_it_is_named(monkeypatch):
    monkeypatch.setattr(Way, "installed", lambda way: way.kind is EngineKind.TORCH)
    assert {way.kind for way in entrants()} == {EngineKind.TORCH}
    assert {way.kind for way in entrants([EngineKind.AUTO])} == {EngineKind.TORCH}
    with pytest.raises(ConfigError, match=r"onnxruntime is not installed.*pip install 'tacit\[onnx\]'"):
        entrants([EngineKind.ONNXRUNTIME])


@pytest.mark.parametrize("here", [True, False])
def test_value_int8_takes_nncf(monkeypatch, here):
    monkeypatch.setattr(Way, "installed", lambda way: True)
    monkeypatch.setattr(module, "find_spec", lambda name: here or None)
    assert (module.INT8 in entrants()) is here


def test_error_where_nothing_is_left():
    with pytest.raises(ConfigError, match="nothing to measure for onnxruntime, bf16"):
        entrants([EngineKind.ONNXRUNTIME], [PrecisionKind.BF16])


def test_value_eager_answers_as_the_network_does():
    torch.manual_seed(0)
    network = create("debug", 2).eval()
    batch = torch.rand(1, 3, 64, 64).to(memory_format=torch.channels_last)
    ours, theirs = Eager(network)(batch), TorchEngine(network)(batch)
    torch.testing.assert_close(ours["detect"]["rows"], theirs["detect"]["rows"])
