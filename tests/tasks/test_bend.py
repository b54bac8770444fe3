"""From the uses of knowledge in a plan to layers: there and back through JSON, every combination folds."""

import json
from itertools import product

import pytest
import torch
from torch import nn
from trained import look_trained

from tacit.errors import WeightsError
from tacit.nn.fold import fold
from tacit.nn.knowledge import Add, Concat, Knowledge, MatrixFactorisation, Multiply, NeuralNetwork, Vector
from tacit.nn.uses import Modelling, Operator, Uses
from tacit.tasks.bend import bent, uses_of, uses_to_json

REFINEMENTS = [Operator.NONE, Operator.ADD, Operator.MULTIPLY]
OPERATIONS = {Operator.ADD: Add, Operator.MULTIPLY: Multiply, Operator.CONCAT: Concat}
KINDS = {
    Modelling.VECTOR: Vector,
    Modelling.NETWORK: NeuralNetwork,
    Modelling.FACTORISATION: MatrixFactorisation,
}
BARE = Uses(alignment=Operator.NONE, refinement=Operator.NONE)


@pytest.mark.parametrize("flag", [False, True])
@pytest.mark.parametrize(("operator", "modelling"), list(product(REFINEMENTS, Modelling)))
def test_there_and_back(operator: Operator, modelling: Modelling, flag: bool) -> None:
    flags = dict.fromkeys(["selection", "clusters", "offsets", "sizes", "reduction"], flag)
    uses = Uses(refinement=operator, modelling=modelling, **flags)
    assert uses_of({"knowledge": json.loads(json.dumps(uses_to_json(uses)))}) == uses


def test_a_plan_without_knowledge_has_that_of_the_published_models() -> None:
    assert uses_of({}) == uses_of({"knowledge": {}}) == Uses()
    assert uses_of({"knowledge": {"modelling": "network"}}) == Uses(modelling=Modelling.NETWORK)


@pytest.mark.parametrize(
    ("knowledge", "told"),
    [
        (None, "is 'None'"),
        (["add"], "the uses of it, by name"),
        ({"aligment": "add"}, "no knowledge called 'aligment'"),
        ({3: "add"}, "called '3'"),
        ({"alignment": "divide"}, "'divide'"),
        ({"alignment": ["add"]}, "alignment is"),
        ({"alignment": None}, "alignment is"),
        ({"selection": "yes"}, "selection is 'yes'"),
        ({"selection": 1}, "selection is '1'"),
        ({"refinement": "concat"}, "cannot be refined by concat"),
        ({"alignment": "none", "clusters": True}, "clusters is a form of alignment"),
        ({"alignment": "x" * 10_000}, "amiss"),
    ],
)
def test_error_in_a_plan(knowledge: object, told: str) -> None:
    with pytest.raises(WeightsError, match=told) as caught:
        uses_of({"knowledge": knowledge})
    assert len(str(caught.value)) < 400


@pytest.mark.parametrize("name", ["clusters", "offsets", "sizes"])
def test_error_where_only_detection_can(name: str) -> None:
    with pytest.raises(WeightsError, match="only detection"):
        bent(4, 3, Uses(**{name: True}))


def test_published_places() -> None:
    assert [(name, type(part)) for name, part in bent(4, 3, Uses()).named_children()] == [
        ("align", Add),
        ("conv", nn.Conv2d),
        ("refine", Multiply),
    ]
    assert [name for name, _ in bent(4, 3, BARE).named_children()] == ["conv"]


@pytest.mark.parametrize(
    ("selection", "alignment", "refinement", "modelling"),
    list(product([False, True], Operator, REFINEMENTS, Modelling)),
)
def test_every_combination_folds(
    selection: bool, alignment: Operator, refinement: Operator, modelling: Modelling
) -> None:
    torch.manual_seed(0)
    chain = bent(4, 3, Uses(selection=selection, alignment=alignment, refinement=refinement, modelling=modelling))
    features = torch.randn(2, 4, 3, 5, dtype=torch.float64)
    assert {type(part) for part in chain.modules() if isinstance(part, Knowledge)} <= {KINDS[modelling]}
    for name, operator in (("align", alignment), ("refine", refinement)):
        assert type(getattr(chain, name, None)) is OPERATIONS.get(operator, type(None))
    (conv,) = folded = fold(look_trained(chain.double()))
    assert (type(conv), conv.in_channels, conv.out_channels) == (nn.Conv2d, 4, 3)
    torch.testing.assert_close(folded(features), chain(features), rtol=1e-10, atol=1e-10)


@pytest.mark.parametrize("modelling", Modelling)
@pytest.mark.parametrize("out", [1, 5, 40])
def test_reduction_folds(out: int, modelling: Modelling) -> None:
    """Forty answers are inner products of 32 coordinates."""
    torch.manual_seed(0)
    chain = bent(6, out, Uses(reduction=True, modelling=modelling)).double()
    assert [name for name, _ in chain.named_children()] == ["align", "conv", "reduce", "refine"]
    assert (chain.conv.out_channels, chain.reduce.matrix().shape) == (min(out, 32), (out, min(out, 32)))
    features = torch.randn(2, 6, 3, 5, dtype=torch.float64)
    (conv,) = folded = fold(look_trained(chain))
    assert (type(conv), conv.in_channels, conv.out_channels) == (nn.Conv2d, 6, out)
    torch.testing.assert_close(folded(features), chain(features), rtol=1e-10, atol=1e-10)
