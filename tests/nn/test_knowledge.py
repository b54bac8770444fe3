"""Implicit knowledge: three models of g(z), three ways to meet f(x), and a start that disturbs nothing."""

import pytest
import torch

from tacit.nn.knowledge import (
    SIGMA,
    Add,
    Combine,
    Concat,
    Knowledge,
    MatrixFactorisation,
    Multiply,
    NeuralNetwork,
    Vector,
)

MODELLINGS = [Vector, NeuralNetwork, MatrixFactorisation]
OPERATORS = [Add, Multiply, Concat]

every_modelling = pytest.mark.parametrize("modelling", MODELLINGS)
every_operator = pytest.mark.parametrize("operator", OPERATORS)


@pytest.fixture
def features() -> torch.Tensor:
    return torch.randn(2, 6, 4, 5, generator=torch.Generator().manual_seed(0))


@every_modelling
@every_operator
def test_shape(operator: type[Combine], modelling: type[Knowledge], features: torch.Tensor) -> None:
    combine = operator(6, modelling)
    assert isinstance(combine.knowledge, modelling)
    assert combine.knowledge().shape == (1, 6, 1, 1)
    assert combine(features).shape == (2, 12 if operator is Concat else 6, 4, 5)


@every_modelling
@every_operator
def test_value_at_the_start(operator: type[Combine], modelling: type[Knowledge]) -> None:
    torch.manual_seed(0)
    values = operator(512, modelling).knowledge()
    neutral = 1 if operator is Multiply else 0
    assert values.mean().item() == pytest.approx(neutral, abs=4 * SIGMA / 512**0.5)
    assert values.std().item() == pytest.approx(SIGMA, rel=0.15)


@every_modelling
@pytest.mark.parametrize("operator", [Add, Multiply])
def test_start_changes_little(operator: type[Combine], modelling: type[Knowledge], features: torch.Tensor) -> None:
    torch.manual_seed(0)
    change = (operator(6, modelling)(features) - features).abs().max()
    assert 0 < change < 5 * SIGMA * max(1, features.abs().max())


def test_value_of_the_operators(features: torch.Tensor) -> None:
    constant = torch.arange(6.0).view(1, 6, 1, 1)
    combines = {operator: operator(6) for operator in OPERATORS}
    for combine in combines.values():
        combine.knowledge.z.data = constant
    torch.testing.assert_close(combines[Add](features)[1, 2], features[1, 2] + 2)
    torch.testing.assert_close(combines[Multiply](features)[1, 2], features[1, 2] * 2)
    assert torch.equal(combines[Concat](features)[:, :6], constant.expand(2, 6, 4, 5))  # the constant comes first
    assert torch.equal(combines[Concat](features)[:, 6:], features)


def test_value_of_the_modellings() -> None:
    network, factors = NeuralNetwork(2, neutral=1.0), MatrixFactorisation(2, neutral=1.0)
    network.z.data, network.weight.data = torch.tensor([1.0, 2, 3, 4]), torch.tensor([[1.0, 0, 0, 1], [0, 1, 1, 0]])
    assert network().flatten().tolist() == [6, 6]
    factors.z.data = torch.tensor([[1.0, 2], [3, 4], [5, 6], [7, 8]])
    factors.coefficients.data = torch.tensor([1.0, 0, 0, 1])
    assert factors().flatten().tolist() == [9, 11]


@every_modelling
@every_operator
def test_gradient_reaches_every_parameter(
    operator: type[Combine], modelling: type[Knowledge], features: torch.Tensor
) -> None:
    combine = operator(6, modelling)
    combine(features).square().sum().backward()
    assert len(list(combine.parameters())) == (1 if modelling is Vector else 2)
    assert all(parameter.grad.abs().min() > 0 for parameter in combine.parameters())


@every_modelling
def test_channels_depend_on_each_other_only_through_a_model(modelling: type[Knowledge]) -> None:
    """A step that asks one channel to move leaves the others alone in a vector, and moves them in the models."""
    torch.manual_seed(0)
    knowledge = modelling(4, neutral=0.0)
    before = knowledge().detach().clone()
    knowledge()[0, 0].sum().backward()
    with torch.no_grad():
        for parameter in knowledge.parameters():
            parameter -= 0.1 * parameter.grad
        moved = (knowledge() - before).abs().flatten() > 1e-9
    assert moved.tolist() == [True] + [modelling is not Vector] * 3


def test_description() -> None:
    assert repr(Multiply(8).knowledge) == "Vector(channels=8, neutral=1)"
