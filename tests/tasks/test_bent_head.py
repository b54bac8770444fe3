"""The detection convolution and its knowledge: the published form to the bit, the others folded."""

from collections import OrderedDict

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn
from trained import look_trained

from tacit.errors import ConfigError
from tacit.nn.fold import fold
from tacit.nn.knowledge import Add, ClusterConv, Multiply, NeuralNetwork
from tacit.nn.uses import Modelling, Operator, Uses
from tacit.tasks.detect.bent_head import detection_head

BARE = Uses(alignment=Operator.NONE, refinement=Operator.NONE)


def head_of(uses: Uses, classes: int = 3) -> nn.Sequential:
    torch.manual_seed(0)
    return detection_head(4, 3, classes, uses)


@pytest.fixture
def features() -> Tensor:
    return torch.randn(2, 4, 5, 6, dtype=torch.float64, generator=torch.Generator().manual_seed(1))


def published(knowledge: bool) -> nn.Sequential:
    torch.manual_seed(0)
    layers = OrderedDict[str, nn.Module]()
    if knowledge:
        layers["add"] = Add(4)
    layers["conv"] = nn.Conv2d(4, 24, kernel_size=1)
    if knowledge:
        layers["multiply"] = Multiply(24)
    return nn.Sequential(layers)


@pytest.mark.parametrize(("uses", "knowledge"), [(Uses(), True), (BARE, False)])
def test_published_head_to_the_bit(uses: Uses, knowledge: bool) -> None:
    """Names, order, shapes and random draws: stored weights fit, and old seeds give the old start."""
    ours, theirs = head_of(uses).state_dict(), published(knowledge).state_dict()
    assert list(ours) == list(theirs)
    assert all(torch.equal(ours[name], value) for name, value in theirs.items())
    assert str(head_of(uses)) == str(published(knowledge))


def test_other_operators_have_names_of_their_own() -> None:
    head = head_of(Uses(alignment=Operator.MULTIPLY, refinement=Operator.ADD, selection=True, offsets=True, sizes=True))
    assert [name for name, _ in head.named_children()] == ["select", "align", "conv", "refine", "offsets", "sizes"]


@pytest.mark.parametrize(("flag", "moved"), [("offsets", (0, 1)), ("sizes", (2, 3))])
def test_refinement_of_offsets_and_sizes_alone(flag: str, moved: tuple, features: Tensor) -> None:
    """One value an anchor and coordinate; objectness and classes do not change."""
    uses = Uses(alignment=Operator.NONE, refinement=Operator.NONE, **{flag: True})
    head = look_trained(head_of(uses).double())
    assert head.get_submodule(flag).knowledge.channels == 3 * 2
    change = (head(features) != head.conv(features)).unflatten(1, (3, 8)).transpose(1, 2).flatten(2).any(dim=2)
    assert change.tolist() == [[value in moved for value in range(8)]] * 2


@pytest.mark.parametrize("operator", [Operator.ADD, Operator.MULTIPLY, Operator.CONCAT])
def test_every_anchor_has_features_of_its_own(operator: Operator, features: Tensor) -> None:
    head = look_trained(head_of(Uses(alignment=operator, clusters=True, modelling=Modelling.NETWORK)).double())
    assert [name for name, _ in head.named_children()] == ["conv", "multiply"]
    assert isinstance(head.conv, ClusterConv)
    assert isinstance(head.conv.clusters[0].knowledge, NeuralNetwork)
    before = head(features).unflatten(1, (3, 8))
    head.conv.clusters[2].knowledge.z.data += 1
    changed = (head(features).unflatten(1, (3, 8)) != before).flatten(2).any(dim=2)
    assert changed.tolist() == [[False, False, True]] * 2


@settings(deadline=None)
@given(
    uses=st.builds(
        Uses,
        alignment=st.sampled_from([Operator.ADD, Operator.MULTIPLY, Operator.CONCAT]),
        refinement=st.sampled_from([Operator.NONE, Operator.ADD, Operator.MULTIPLY]),
        selection=st.booleans(),
        clusters=st.booleans(),
        offsets=st.booleans(),
        sizes=st.booleans(),
        modelling=st.sampled_from(Modelling),
    ),
    classes=st.integers(1, 4),
)
def test_every_combination_folds_into_one_convolution(uses: Uses, classes: int) -> None:
    head = look_trained(head_of(uses, classes).double())
    features = torch.randn(2, 4, 3, 5, dtype=torch.float64)
    folded = fold(head)
    assert [(name, type(part)) for name, part in folded.named_children()] == [("conv", nn.Conv2d)]
    assert (folded.conv.in_channels, folded.conv.out_channels) == (4, 3 * (5 + classes))
    torch.testing.assert_close(folded(features), head(features), rtol=1e-10, atol=1e-10)


@pytest.mark.parametrize("clusters", [False, True])
def test_gradient(clusters: bool, features: Tensor) -> None:
    head = head_of(Uses(clusters=clusters, offsets=True, sizes=True, selection=True)).double()
    head(features).square().sum().backward()
    assert not [name for name, value in head.named_parameters() if not value.grad.abs().min() > 0]


def test_error_for_a_reduction() -> None:
    with pytest.raises(ConfigError, match="no manifold to reduce"):
        head_of(Uses(reduction=True))
