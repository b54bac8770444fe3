"""Modules without a random start: shapes as ever, no random numbers drawn, and nothing but the start is left out."""

import torch
from torch import nn

from tacit.nn.blank import Blank
from tacit.zoo import create


def test_no_random_numbers_are_drawn():
    torch.manual_seed(0)
    before = torch.get_rng_state()
    with Blank():
        network = create("debug", 3)
    assert torch.equal(torch.get_rng_state(), before)
    wanted = {name: value.shape for name, value in create("debug", 3).state_dict().items()}
    assert {name: value.shape for name, value in network.state_dict().items()} == wanted


def test_what_is_not_random_is_there():
    with Blank():
        norm, anchors = nn.BatchNorm2d(3), create("debug", 3).task("detect").anchors
    assert torch.equal(norm.weight, torch.ones(3))
    assert torch.equal(norm.running_mean, torch.zeros(3))
    assert torch.equal(anchors, create("debug", 3).task("detect").anchors)


def test_afterwards_all_is_random_again():
    with Blank():
        pass
    torch.manual_seed(0)
    first = nn.Conv2d(3, 3, 1).weight
    assert not torch.equal(first, nn.Conv2d(3, 3, 1).weight)
