"""Parameter groups, schedule and averaging against the reference's numbers (official_models, section 8)."""

import copy
import math

import pytest
import torch

from tacit import zoo
from tacit.nn.knowledge import Knowledge
from tacit.training.optimiser import MovingAverage, Schedule, build_optimiser, parameter_groups
from tacit.training.recipe import Algorithm, Optimiser, Recipe


@pytest.fixture
def network():
    torch.manual_seed(0)
    return zoo.debug(3)


def test_every_parameter_is_in_one_group(network):
    groups = parameter_groups(network)
    numbers = [id(parameter) for group in groups for parameter in group]
    assert sorted(numbers) == sorted(id(parameter) for parameter in network.parameters())


def test_knowledge_norms_and_biases_are_not_decayed(network):
    optimiser = build_optimiser(network, Recipe())
    decays = {id(p): group["weight_decay"] for group in optimiser.param_groups for p in group["params"]}
    knowledge = [p for m in network.modules() if isinstance(m, Knowledge) for p in m.parameters()]
    assert len(knowledge) == 6
    assert {decays[id(p)] for p in knowledge} == {0.0}
    for name, parameter in network.named_parameters():
        decayed = name.endswith("conv.weight")
        assert (decays[id(parameter)] > 0) == decayed, name


def test_sgd_decay_is_stated_for_a_batch_of_64(network):
    optimiser = build_optimiser(network, Recipe(batch=16, accumulate=2))
    assert optimiser.param_groups[1]["weight_decay"] == pytest.approx(5e-4 * 32 / 64)
    assert optimiser.param_groups[1]["nesterov"]


def test_adamw(network):
    plan = Optimiser(algorithm=Algorithm.ADAMW, weight_decay=0.05, momentum=0.9)
    optimiser = build_optimiser(network, Recipe(optimiser=plan))
    assert isinstance(optimiser, torch.optim.AdamW)
    assert [group["weight_decay"] for group in optimiser.param_groups] == [0.0, 0.05, 0.0]


@pytest.mark.parametrize(
    ("step", "rates", "momentum"),
    [
        (0, (0.0, 0.0, 0.1), 0.8),
        (500, (0.5, 0.5, None), (0.8 + 0.937) / 2),
        (1000, (1.0, 1.0, 1.0), 0.937),
    ],
)
def test_warm_up_of_the_reference(network, step, rates, momentum):
    recipe = Recipe(epochs=300)
    optimiser, schedule = build_optimiser(network, recipe), Schedule(recipe.optimiser, 100, 300)
    schedule.apply(optimiser, step)
    for group, share in zip(optimiser.param_groups, rates, strict=True):
        if share is not None:
            wanted = 0.1 if share == 0.1 else share * schedule.rate(step)
            assert group["lr"] == pytest.approx(wanted)
        assert group["momentum"] == pytest.approx(momentum)


def test_cosine_of_the_reference():
    schedule = Schedule(Optimiser(), 10, 300)
    for epoch in (0, 75, 150, 300):
        wanted = 0.01 * ((1 + math.cos(math.pi * epoch / 300)) / 2 * (1 - 0.2) + 0.2)
        assert schedule.rate(10 * epoch) == pytest.approx(wanted)


def test_a_short_run_is_not_all_warm_up():
    assert Schedule(Optimiser(), 10, 6).warmup == 20


def test_average_follows_the_reference(network):
    plan = Optimiser(ema_decay=0.9, ema_ramp=2.0)
    average, before = MovingAverage(network, plan), copy.deepcopy(network.state_dict())
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.add_(1)
    average.update(network)
    decay = 0.9 * (1 - math.exp(-1 / 2))
    name = "trunk.outs.0.conv.weight"
    wanted = decay * before[name] + (1 - decay) * network.state_dict()[name]
    torch.testing.assert_close(average.network.state_dict()[name], wanted)
    assert average.updates == 1
    assert not average.network.training
