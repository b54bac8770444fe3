"""Folding a whole network: the same answers, and nothing learned is left that a convolution could not take up."""

import copy

import pytest
import torch
from torch import nn
from trained import look_trained

from tacit.nn.fold import fold
from tacit.nn.knowledge import Combine, Knowledge
from tacit.zoo import create


@pytest.fixture(scope="module")
def network() -> nn.Module:
    torch.manual_seed(0)
    return look_trained(create("debug", 3))


def test_value_of_a_whole_network(network: nn.Module) -> None:
    images = torch.rand(2, 3, 64, 96, generator=torch.Generator().manual_seed(0))
    folded = network.fold()
    with torch.no_grad():
        plain, quick = network(images)["detect"], folded(images)["detect"]
    for ours, theirs in zip(quick, plain, strict=True):
        assert (theirs[0] - theirs[1]).abs().max() > 0.1  # the images matter
        torch.testing.assert_close(ours, theirs, rtol=0, atol=1e-4)


def test_nothing_learned_is_left(network: nn.Module) -> None:
    folded = network.train().fold()
    assert network.training
    assert not folded.training
    assert not [part for part in folded.modules() if isinstance(part, nn.BatchNorm2d | Knowledge | Combine)]
    assert not any(parameter.requires_grad for parameter in folded.parameters())


def test_original_stays_as_it_was(network: nn.Module) -> None:
    modules, values = list(network.modules()), copy.deepcopy(network.state_dict())
    fold(network)
    assert list(network.modules()) == modules
    assert all(torch.equal(value, values[name]) for name, value in network.state_dict().items())
