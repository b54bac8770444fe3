"""A network that has learned nothing, measured in torch: every figure is there, and they fit together."""

import pytest
import torch

from tacit.api import create
from tacit.bench import measure as module
from tacit.bench.measure import EAGER, Subject, Wishes, measure
from tacit.bench.random_weights import settle
from tacit.bench.report import OFFICIAL
from tacit.errors import ConfigError
from tacit.runtime.agreement import Gap
from tacit.runtime.engine import Precision
from tacit.runtime.probe import photographs
from tacit.runtime.ways import Way
from tacit.runtime.wish import EngineKind

WAYS = [Way(EngineKind.TORCH, Precision.FP32), Way(EngineKind.TORCH, Precision.BF16)]


@pytest.fixture(scope="module")
def subject():
    torch.manual_seed(0)
    model = create("debug", 3)
    settle(model.network, photographs()[:1])
    return Subject(model.network, model.record, "random weights")


@pytest.fixture
def peaks(monkeypatch):
    rates = iter([{Precision.FP32: 100.0}, {Precision.FP32: 90.0}])
    monkeypatch.setattr(module, "peaks", lambda: next(rates))


def test_value_of_a_report(subject, peaks):
    told = []
    report = measure(subject, Wishes(size=64, ways=WAYS, memory=False), range(3), told.append)
    official, single, half = report.lines
    assert [line.label for line in report.lines] == [OFFICIAL, "torch fp32", "torch bf16"]
    assert EAGER not in {line.label for line in report.lines}
    assert told[0] == "building torch fp32"
    assert report.peaks == {Precision.FP32: 100.0}
    assert report.candidates is not None
    assert report.rounds == 3
    assert official.ratio.median == 1
    assert single.share_of_peak == pytest.approx(single.gflops / 100)
    assert half.share_of_peak is None
    assert single.gflops == pytest.approx(report.gflops / single.stages["forward"].median)
    assert single.gaps[Gap.RAW] < 1e-4 < half.gaps[Gap.RAW] < 0.1
    assert single.memory is None
    assert single.file_size == 2 * half.file_size


def test_error_of_a_size(subject):
    with pytest.raises(ConfigError, match="100 pixels"):
        measure(subject, Wishes(size=100, ways=WAYS), range(1))


def test_error_of_a_task(subject):
    assert subject.only(["detect"]).record.tasks["detect"]["classes"] == list(subject.record.classes)
    with pytest.raises(ConfigError, match="know no task 'pose'"):
        subject.only(["pose"])


def test_value_settled_weights_neither_vanish_nor_explode(subject):
    seen = list[float]()
    convolutions = [module for module in subject.network.trunk.modules() if isinstance(module, torch.nn.Conv2d)]
    hooks = [
        conv.register_forward_hook(lambda _, __, out: seen.append(float(out.abs().mean()))) for conv in convolutions
    ]
    assert not subject.network.training
    with torch.inference_mode():
        subject.network(torch.rand(1, 3, 64, 64))
    for hook in hooks:
        hook.remove()
    assert 1e-3 < min(seen) < max(seen) < 1e3
