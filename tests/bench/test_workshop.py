"""Engines from files: each answers as the folded network does, says its size, and starts in a process of its own."""

import pytest
import torch

from tacit.api import create
from tacit.bench.entrants import INT8
from tacit.bench.memory import memory_of
from tacit.bench.random_weights import settle
from tacit.bench.workshop import Workshop
from tacit.runtime.engine import Precision
from tacit.runtime.probe import photographs
from tacit.runtime.ways import Way
from tacit.runtime.wish import EngineKind

SINGLE, HALF = (Way(EngineKind.TORCH, precision) for precision in (Precision.FP32, Precision.BF16))


@pytest.fixture(scope="module")
def workshop(tmp_path_factory):
    torch.manual_seed(0)
    model = create("debug", 3)
    settle(model.network, photographs()[:1])
    return Workshop(model.network, model.record, 64, tmp_path_factory.mktemp("workshop"))


@pytest.fixture(autouse=True)
def cache(tmp_path_factory, monkeypatch):
    monkeypatch.setenv("TACIT_CACHE", str(tmp_path_factory.getbasetemp() / "cache"))


def answer(engine):
    return engine(torch.full((1, 3, 64, 64), 0.5))["detect"]["rows"]


def test_value_of_torch(workshop):
    torch.testing.assert_close(answer(workshop.engine(SINGLE)), answer(workshop.engine(HALF)), rtol=0.1, atol=1)
    assert workshop.file(SINGLE) == workshop.file(HALF) == workshop.weights


def test_value_of_bytes_in_torch(workshop):
    assert workshop.bytes_of(SINGLE) == 4 * sum(value.numel() for value in workshop.folded.state_dict().values())
    assert workshop.bytes_of(SINGLE) == 2 * workshop.bytes_of(HALF)


@pytest.mark.slow
def test_value_of_exported_engines(workshop):
    pytest.importorskip("onnxscript")
    pytest.importorskip("onnxruntime")
    way = Way(EngineKind.ONNXRUNTIME, Precision.FP32)
    torch.testing.assert_close(answer(workshop.engine(way)), answer(workshop.engine(SINGLE)), rtol=1e-3, atol=1e-2)
    assert workshop.bytes_of(way) == workshop.onnx.stat().st_size


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning")
def test_value_of_int8(workshop):
    pytest.importorskip("nncf")
    rows, exact = answer(workshop.engine(INT8)), answer(workshop.engine(SINGLE))
    assert float((rows - exact).norm() / exact.norm()) < 0.1
    assert workshop.bytes_of(INT8) == sum((workshop.folder / f"int8.{end}").stat().st_size for end in ("xml", "bin"))


@pytest.mark.slow
def test_value_of_memory(workshop):
    small, large = (memory_of(SINGLE, workshop.weights, workshop.weights, size) for size in (64, 640))
    if small is None:
        pytest.skip("this system does not tell")
    assert 0 < small < large < 500_000_000
