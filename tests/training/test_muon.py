"""Muon: the algebra of its step, and that it is one optimiser with AdamW."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from tacit import zoo
from tacit.training.muon import Muon, orthogonal
from tacit.training.optimiser import Schedule, build_optimiser
from tacit.training.recipe import Algorithm, Optimiser, Recipe

PLAN = Optimiser(algorithm=Algorithm.MUON, learning_rate=0.01, weight_decay=0.1)


@given(rows=st.integers(2, 40), columns=st.integers(2, 40), seed=st.integers(0, 99))
def test_directions_stay_and_strengths_become_equal(rows, columns, seed):
    matrix = torch.randn(rows, columns, generator=torch.Generator().manual_seed(seed))
    left, strengths, right = torch.linalg.svd(matrix, full_matrices=False)
    turned = left.T @ orthogonal(matrix) @ right.T
    strong = strengths > 0.02 * strengths.sum()  # others are on their way only
    torch.testing.assert_close(turned, turned.diag().diag(), atol=1e-3, rtol=0)
    assert (turned.diag()[strong] > 0.6).all()
    assert (turned.diag() < 1.3).all()


def test_no_gradient_gives_no_step():
    assert not orthogonal(torch.zeros(3, 5)).any()


def test_convolutions_inside_turn_and_the_rest_follows_adamw():
    torch.manual_seed(0)
    network = zoo.debug(2)
    optimiser = build_optimiser(network, Recipe(optimiser=PLAN))
    assert isinstance(optimiser, Muon)
    turned = {id(weight) for group in optimiser.param_groups if group["matrices"] for weight in group["params"]}
    for name, module in network.named_modules():
        if isinstance(module, nn.Conv2d):
            assert (id(module.weight) in turned) == (not name.startswith("tasks."))
    numbers = [id(parameter) for group in optimiser.param_groups for parameter in group["params"]]
    assert sorted(numbers) == sorted(id(parameter) for parameter in network.parameters())
    assert [group["weight_decay"] for group in optimiser.param_groups] == [0.0, 0.1, 0.0, 0.1]


def test_a_step_has_the_size_of_one_of_adamw():
    weight = nn.Parameter(torch.zeros(64, 32, 3, 3))
    optimiser = Muon([{"params": [weight], "matrices": True}], lr=0.01)
    weight.grad = torch.randn(weight.shape, generator=torch.Generator().manual_seed(0))
    optimiser.step()
    assert weight.detach().square().mean().sqrt().item() == pytest.approx(
        0.2 * 0.01 * 0.9, rel=0.15
    )  # strengths near 0.9
    assert weight.grad is None


def test_what_is_loaded_goes_on_alike():
    def fresh():
        torch.manual_seed(0)
        network = zoo.debug(2)
        return network, build_optimiser(network, Recipe(optimiser=PLAN))

    def steps(network, optimiser, seeds):
        for seed in seeds:
            images = torch.rand(2, 3, 64, 64, generator=torch.Generator().manual_seed(seed))
            sum(level.square().mean() for level in network(images)["detect"]).backward()
            optimiser.step()
            optimiser.zero_grad()

    whole, optimiser = fresh()
    steps(whole, optimiser, (1, 2, 3))
    first, before = fresh()
    steps(first, before, (1, 2))
    second, after = fresh()
    second.load_state_dict(first.state_dict())
    after.load_state_dict(before.state_dict())
    steps(second, after, (3,))
    for name, value in whole.state_dict().items():
        assert torch.equal(value, second.state_dict()[name]), name


def test_warm_up_starts_every_group_at_zero():
    optimiser = build_optimiser(zoo.debug(2), Recipe(optimiser=PLAN))
    Schedule(PLAN, 100, 300).apply(optimiser, 0)
    assert [group["lr"] for group in optimiser.param_groups] == [0.0] * 4
