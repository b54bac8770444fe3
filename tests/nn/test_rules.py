"""The algebra of folding: the same answers from one convolution, and a refusal wherever that cannot be."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn
from trained import look_trained

from tacit.nn.batch_norm import BatchNorm
from tacit.nn.fold import fold
from tacit.nn.knowledge import (
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
from tacit.nn.rules import FoldError

MODELLINGS = [Vector, NeuralNetwork, MatrixFactorisation]
OPERATORS = [Add, Multiply, Concat]
every_modelling = pytest.mark.parametrize("modelling", MODELLINGS)
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
@every_modelling
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


@every_modelling
def test_value_of_some_channels_only(modelling: type[Knowledge]) -> None:
    """Refinement of centres and sizes: the other channels of the convolution stay as they are to the bit."""
    chain = nn.Sequential(nn.Conv2d(C, 6, 1), Add(6, modelling, where=[0, 1]), Multiply(6, modelling, where=[2, 3]))
    assert_folds(chain)
    assert torch.equal(fold(chain)[0].weight[[0, 1, 4, 5]], chain[0].weight[[0, 1, 4, 5]])
    assert torch.equal(fold(chain)[0].bias[4:], chain[0].bias[4:])


@every_modelling
@pytest.mark.parametrize("operator", OPERATORS)
@pytest.mark.parametrize("clusters", [1, 2, 3])
def test_value_of_a_cluster_each(operator: type[Combine], modelling: type[Knowledge], clusters: int) -> None:
    assert_folds(nn.Sequential(ClusterConv(C, 6, clusters, operator, modelling)))
    assert_folds(nn.Sequential(Multiply(C, modelling), ClusterConv(C, 6, clusters, operator), Multiply(6, modelling)))


@every_modelling
@pytest.mark.parametrize("answers", [1, 3, 9])
def test_value_of_an_inner_product(modelling: type[Knowledge], answers: int) -> None:
    assert_folds(nn.Sequential(nn.Conv2d(C, 3, 3, padding=1), InnerProduct(3, answers, modelling), Add(answers)))
    assert_folds(nn.Sequential(InnerProduct(C, answers, modelling), nn.Conv2d(answers, 2, 3, padding=1)))


@st.composite
def some(draw, channels: int) -> list[int] | None:
    """Some of the channels, or all of them."""
    return draw(st.none() | st.lists(st.integers(0, channels - 1), min_size=1, unique=True))


@settings(deadline=None, max_examples=150)
@given(st.data())
def test_any_chain_folds(data) -> None:
    """Operators, modellings, some channels or all, inner products, one z for every anchor, batch norms."""
    torch.manual_seed(0)
    channels, kernel = data.draw(st.integers(1, 5)), data.draw(st.sampled_from([1, 2, 3]))
    chain, width = nn.Sequential(), channels
    ahead = data.draw(st.lists(st.sampled_from([*OPERATORS, InnerProduct]), max_size=3))
    for kind in ahead:
        width = append(chain, kind, width, data)
    outputs = data.draw(st.integers(1, 5))
    if data.draw(st.booleans()):
        operator, modelling = data.draw(st.sampled_from(OPERATORS)), data.draw(st.sampled_from(MODELLINGS))
        chain.append(ClusterConv(width, 2 * outputs, 2, operator, modelling))
        outputs *= 2
    else:
        chain.append(nn.Conv2d(width, outputs, kernel, padding=0 if ahead else kernel // 2))
    width = outputs
    for kind in data.draw(st.lists(st.sampled_from([*OPERATORS, InnerProduct, BatchNorm]), max_size=4)):
        width = append(chain, kind, width, data)
    assert_folds(chain, channels)


def append(chain: nn.Sequential, kind: type[nn.Module], width: int, data) -> int:
    """The chain's new width."""
    modelling = data.draw(st.sampled_from(MODELLINGS))
    if kind is BatchNorm:
        chain.append(BatchNorm(width))
    elif kind is InnerProduct:
        chain.append(InnerProduct(width, answers := data.draw(st.integers(1, 5)), modelling))
        return answers
    else:
        chain.append(kind(width, modelling, where=data.draw(some(width))))
    return width * (2 if kind is Concat else 1)


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
        (nn.Sequential(InnerProduct(C, 3), nn.Conv2d(3, 3, 1, groups=3)), "3 groups"),
        (nn.Sequential(nn.Conv2d(C, 8, 1, groups=2), InnerProduct(8, 3)), "2 groups"),
        (nn.Sequential(nn.SiLU(), InnerProduct(C, 3)), "1.directions.0 .Vector. has no convolution"),
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


def test_precision_is_kept() -> None:
    for dtype in (torch.float64, torch.float32, torch.bfloat16):
        (folded,) = fold(before(Add).to(dtype))
        assert folded.weight.dtype == folded.bias.dtype == dtype
