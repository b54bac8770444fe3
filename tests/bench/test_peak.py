"""Peaks: of what the machine has, and no others."""

import pytest
import torch

from tacit.bench import peak
from tacit.runtime.engine import Precision

TINY = ((8, 16),)


def test_value_the_fastest_counts(monkeypatch):
    monkeypatch.setattr(peak, "_ways", lambda precision, channels, side: [(channels, 1e9), (side, 1e9)])
    monkeypatch.setattr(peak, "_rate", lambda run, flops: run * flops / 1e9)
    assert peak.peaks(((8, 16), (4, 32))) == dict.fromkeys(Precision, 32)


def test_value_of_a_rate(monkeypatch):
    clock = iter([0.0, 2.0, 10.0, 11.0, *[20.0, 24.0] * (peak.REPEATS - 2)])
    monkeypatch.setattr(peak.time, "perf_counter", lambda: next(clock))
    assert peak._rate(lambda: None, 5e9) == 5


def test_value_without_openvino(monkeypatch):
    monkeypatch.setattr(peak, "find_spec", lambda name: None)
    monkeypatch.setattr(peak, "has_bfloat16", lambda: False)
    found = peak.peaks(TINY)
    assert list(found) == [Precision.FP32]
    assert found[Precision.FP32] > 0


def test_value_with_openvino():
    pytest.importorskip("openvino")
    assert {Precision.FP32, Precision.INT8} <= set(peak.peaks(TINY))


def test_shape_the_convolution_is_what_is_counted():
    assert peak._in_torch(torch.float32, 8, 16)().shape == (1, 8, 16, 16)
