"""Implicit knowledge: three models of g(z), three ways to meet f(x), and a start that disturbs nothing."""

import pytest
import torch

from tacit.nn.knowledge import (
    SIGMA,
    Add,
    ClusterConv,
    Combine,
    Concat,
    InnerProduct,
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


@every_modelling
@pytest.mark.parametrize("operator", [Add, Multiply])
def test_some_channels_only(operator: type[Combine], modelling: type[Knowledge], features: torch.Tensor) -> None:
    combine = operator(6, modelling, where=[4, 1])
    assert combine.knowledge().shape == (1, 2, 1, 1)
    assert "where" not in combine.state_dict()
    changed = (combine(features) != features).flatten(2).any(dim=2)
    assert changed.tolist() == [[False, True, False, False, True, False]] * 2
    combine(features).square().sum().backward()
    assert all(parameter.grad.abs().min() > 0 for parameter in combine.parameters())


def test_some_channels_keep_their_order(features: torch.Tensor) -> None:
    combine = Add(6, where=[4, 1])
    combine.knowledge.z.data = torch.tensor([10.0, 20.0]).view(1, 2, 1, 1)
    assert combine.constant().flatten().tolist() == [0, 20, 0, 0, 10, 0]


@every_operator
def test_every_cluster_has_its_own_knowledge(operator: type[Combine], features: torch.Tensor) -> None:
    """The rows of an anchor are those of a plain head with that anchor's z and no other's."""
    torch.manual_seed(0)
    conv = ClusterConv(6, 9, 3, operator)
    answers = conv(features)
    for k, bend in enumerate(conv.clusters):
        rows = slice(3 * k, 3 * k + 3)
        plain = torch.nn.functional.conv2d(bend(features), conv.weight[rows], conv.bias[rows])
        torch.testing.assert_close(answers[:, rows], plain)
    conv.clusters[1].knowledge.z.data += 1
    changed = (conv(features) != answers).flatten(2).any(dim=2)
    assert changed.tolist() == [[False] * 3 + [True] * 3 + [False] * 3] * 2


@every_modelling
def test_inner_product_begins_as_the_coordinates(modelling: type[Knowledge], features: torch.Tensor) -> None:
    torch.manual_seed(0)
    product = InnerProduct(6, 8, modelling)
    assert product(features).shape == (2, 8, 4, 5)
    away = product(features) - features[:, [0, 1, 2, 3, 4, 5, 0, 1]]
    assert 0 < away.abs().max() < 5 * SIGMA * features.abs().max() * 6**0.5
    product(features).square().sum().backward()
    assert all(parameter.grad.abs().sum() > 0 for parameter in product.parameters())


def test_value_of_an_inner_product() -> None:
    product = InnerProduct(2, 3)
    for direction, value in zip(product.directions, [[1, 2], [3, 4], [5, 6]], strict=True):
        direction.z.data = torch.tensor(value).float().view(1, 2, 1, 1)
    features = torch.tensor([10.0, 100]).view(1, 2, 1, 1)
    assert product(features).flatten().tolist() == [2 * 10 + 200, 30 + 500, 6 * 10 + 600]
