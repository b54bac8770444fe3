"""Folding: the same answers without batch norm or knowledge, and a refusal wherever that cannot be."""

import copy

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn
from trained import look_trained

from tacit.nn.batch_norm import BatchNorm
from tacit.nn.fold import FoldError, fold
from tacit.nn.knowledge import Add, Combine, Concat, Knowledge, MatrixFactorisation, Multiply, NeuralNetwork, Vector
from tacit.zoo import create

MODELLINGS = [Vector, NeuralNetwork, MatrixFactorisation]
OPERATORS = [Add, Multiply, Concat]
C = 4  # channels of the features in the tables below


def before(operator: type[Combine], modelling: type[Knowledge] = Vector, **convolution: object) -> nn.Sequential:
    channels = 2 * C if operator is Concat else C
    return nn.Sequential(operator(C, modelling), nn.Conv2d(channels, 8, **{"kernel_size": 1, **convolution}))


def after(operator: type[Combine], modelling: type[Knowledge] = Vector, **convolution: object) -> nn.Sequential:
    return nn.Sequential(nn.Conv2d(C, 8, **{"kernel_size": 1, **convolution}), operator(8, modelling))


def assert_folds(chain: nn.Module, channels: int = C) -> None:
    """One convolution is left of `chain`, and it answers alike to the last digits of float64."""
    look_trained(chain.double())
    images = torch.randn(2, channels, 7, 8, dtype=torch.float64, generator=torch.Generator().manual_seed(1))
    folded = fold(chain)
    assert [type(module) for module in folded] == [nn.Conv2d]
    torch.testing.assert_close(folded(images), chain(images), rtol=1e-10, atol=1e-10)


@pytest.mark.parametrize("place", [before, after])
@pytest.mark.parametrize("operator", OPERATORS)
@pytest.mark.parametrize("modelling", MODELLINGS)
def test_value_of_every_knowledge(place, operator: type[Combine], modelling: type[Knowledge]) -> None:
    assert_folds(place(operator, modelling))


@pytest.mark.parametrize(
    ("place", "operator", "convolution"),
    [
        *[(after, operator, {"kernel_size": 3, "padding": 1}) for operator in OPERATORS],
        (before, Multiply, {"kernel_size": 3, "padding": 1}),
        *[(before, operator, {"kernel_size": 3}) for operator in OPERATORS],
        *[
            (before, operator, {"kernel_size": 3, "padding": 1, "padding_mode": mode})
            for operator in (Add, Concat)
            for mode in ("replicate", "reflect", "circular")
        ],
        *[(place, operator, {"bias": False}) for place in (before, after) for operator in OPERATORS],
        *[(place, Add, {"kernel_size": (1, 3), "stride": (2, 1), "dilation": (1, 2)}) for place in (before, after)],
        *[(after, operator, {"groups": 2}) for operator in (Add, Multiply)],
    ],
)
def test_value_of_other_convolutions(place, operator: type[Combine], convolution: dict) -> None:
    assert_folds(place(operator, **convolution))


@pytest.mark.parametrize("convolution", [{"kernel_size": 3, "padding": 1}, {"groups": 2}, {"bias": False}])
def test_value_of_batch_norm(convolution: dict) -> None:
    for norm in (nn.BatchNorm2d(8, eps=1e-2), BatchNorm(8)):
        assert_folds(nn.Sequential(nn.Conv2d(C, 8, **{"kernel_size": 1, **convolution}), norm))


def test_value_of_the_published_head() -> None:
    """W' = m W and b' = m (b + W a) (official_models, section 6)."""
    add, conv, multiply = head = look_trained(nn.Sequential(Add(C), nn.Conv2d(C, 3, 1), Multiply(3)))
    a, m, weight = add.knowledge().flatten(), multiply.knowledge().flatten(), conv.weight[:, :, 0, 0]
    (folded,) = fold(head)
    torch.testing.assert_close(folded.weight[:, :, 0, 0], m[:, None] * weight)
    torch.testing.assert_close(folded.bias, m * (conv.bias + weight @ a))


@settings(deadline=None)
@given(
    channels=st.integers(1, 5),
    outputs=st.integers(1, 5),
    kernel=st.sampled_from([1, 2, 3]),
    ahead=st.lists(st.sampled_from(OPERATORS), max_size=3),
    behind=st.lists(st.sampled_from([*OPERATORS, BatchNorm]), max_size=4),
    modelling=st.sampled_from(MODELLINGS),
)
def test_any_chain_folds(
    channels: int, outputs: int, kernel: int, ahead: list, behind: list, modelling: type[Knowledge]
) -> None:
    chain, width = nn.Sequential(), channels
    for operator in ahead:
        chain.append(operator(width, modelling))
        width *= 2 if operator is Concat else 1
    chain.append(nn.Conv2d(width, outputs, kernel, padding=0 if ahead else kernel // 2))
    width = outputs
    for kind in behind:
        chain.append(kind(width) if kind is BatchNorm else kind(width, modelling))
        width *= 2 if kind is Concat else 1
    assert_folds(chain, channels)


@pytest.mark.parametrize(
    ("chain", "reason"),
    [
        *[(before(operator, kernel_size=3, padding=1), "at the border") for operator in (Add, Concat)],
        (before(Add, padding=1), "at the border"),
        *[(before(operator, groups=2), "2 groups") for operator in OPERATORS],
        (after(Concat, groups=2), "2 groups"),
        (nn.Sequential(Add(C), nn.SiLU(), nn.Conv2d(C, 8, 1)), "0.knowledge .Vector. has no convolution"),
        (
            nn.Sequential(nn.Conv2d(C, 8, 1), nn.SiLU(), Multiply(8, NeuralNetwork)),
            "2.knowledge .NeuralNetwork. has no",
        ),
        (nn.Sequential(BatchNorm(C), nn.Conv2d(C, 8, 1)), "0 .BatchNorm. has no convolution"),
        (nn.Sequential(nn.Conv2d(C, 8, 1), nn.SiLU(), nn.BatchNorm2d(8)), "2 .BatchNorm2d. has no convolution"),
    ],
)
def test_error_where_the_algebra_ends(chain: nn.Module, reason: str) -> None:
    with pytest.raises(FoldError, match=reason):
        fold(chain)


def test_activation_stays_between_two_convolutions() -> None:
    chain = look_trained(
        nn.Sequential(nn.Conv2d(C, C, 1), BatchNorm(C), nn.SiLU(), Add(C), nn.Conv2d(C, 2, 1), Multiply(2))
    )
    images, folded = torch.randn(2, C, 3, 3), fold(chain)
    assert [type(module) for module in folded] == [nn.Conv2d, nn.SiLU, nn.Conv2d]
    torch.testing.assert_close(folded(images), chain(images))


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


def test_precision_is_kept() -> None:
    for dtype in (torch.float64, torch.float32, torch.bfloat16):
        (folded,) = fold(before(Add).to(dtype))
        assert folded.weight.dtype == folded.bias.dtype == dtype
