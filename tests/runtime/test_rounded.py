"""The rule of `predict`: bfloat16 only where the machine gains, the network is large and the probe agrees."""

import numpy as np
import pytest
import torch

from tacit.api import load
from tacit.data.images import load_image
from tacit.describe import describe
from tacit.runtime import rounded as rule
from tacit.runtime.agreement import LIMITS, Gap
from tacit.runtime.engine import Precision
from tacit.zoo import create


@pytest.fixture(scope="module")
def model():
    return load()


@pytest.fixture
def network(model):
    return model.network.only(["detect"]).fold()


@pytest.fixture
def gains(monkeypatch):
    """On any machine as on one that is made for bfloat16; every network is worth it."""
    monkeypatch.setattr(rule, "gains_from_bfloat16", lambda device: True)
    monkeypatch.setattr(rule, "BFLOAT16_FROM", 0.0)


def test_value_a_machine_that_does_not_gain(monkeypatch, model, network):
    monkeypatch.setattr(rule, "BFLOAT16_FROM", 0.0)
    monkeypatch.setattr(rule, "gains_from_bfloat16", lambda device: False)
    assert rule.rounded(network, model.names, 416) is None


def test_value_a_network_that_is_too_small(monkeypatch, model, network):
    monkeypatch.setattr(rule, "gains_from_bfloat16", lambda device: True)
    assert rule.gflops(network, 416) < rule.BFLOAT16_FROM
    assert rule.rounded(network, model.names, 416) is None


def test_value_where_all_is_well(gains, model, network):
    engine = rule.rounded(network, model.names, 416)
    assert engine is not None
    assert engine.precision is Precision.BF16


def test_value_answers_that_would_be_others(gains, model, network, monkeypatch):
    monkeypatch.setitem(LIMITS[Precision.BF16], Gap.SCORES, 1e-9)
    assert rule.rounded(network, model.names, 416) is None


@pytest.mark.parametrize("size", [128, 416])
def test_value_gflops_are_those_of_the_description(size):
    network = create("nano", 80).eval()
    assert rule.gflops(network, size) == pytest.approx(describe(network, size).gflops, rel=1e-6)


def test_value_the_model_goes_by_the_rule(gains, model, samples):
    rough = model.stages(quick=True).engine
    assert rough is not None
    assert rough.precision is Precision.BF16
    assert model.stages(quick=True).engine is rough
    assert model.stages().engine is None
    exact, quick = model.stages()([load_image(samples[0])])[0], model.predict(samples[0])
    assert quick.summary() == exact.summary()
    assert 0 < np.abs(quick.scores - exact.scores).max() < 0.05


def test_value_weights_that_change_are_judged_again(gains):
    model = load()
    before = model.stages(quick=True, tasks=["detect"]).engine
    with torch.no_grad():
        next(model.network.parameters()).mul_(1.001)
    assert before is not None
    assert model.stages(quick=True, tasks=["detect"]).engine is not before
