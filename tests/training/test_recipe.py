"""The recipe: what it refuses, and that it survives a trip through JSON."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tacit.data.augment import Augment
from tacit.errors import ConfigError
from tacit.nn.uses import Modelling, Operator, Uses
from tacit.tasks.detect.gains import DetectGains
from tacit.training.balance import Balance
from tacit.training.recipe import Algorithm, Optimiser, Precision, Recipe

RICH = Recipe(
    data=(Path("a"), Path("b/c")),
    weights=Path("w.safetensors"),
    start_size=64,
    precision=Precision.BF16,
    augment=Augment(mosaic=0.5),
    optimiser=Optimiser(algorithm=Algorithm.ADAMW, learning_rate=0.002),
    gains=DetectGains(box=0.1),
    shares=(2.0, 1.0),
    tasks=("detect", "pose", "tags"),
    learn=("tags",),
    knowledge=Uses(alignment=Operator.CONCAT, modelling=Modelling.NETWORK, offsets=True),
    balance=Balance(weights={"tags": 0.5}, learned=True),
)


@pytest.mark.parametrize("recipe", [Recipe(), RICH])
def test_json_round_trip(recipe):
    assert Recipe.from_json(recipe.to_json()) == recipe


@pytest.mark.parametrize(
    ("text", "telling"),
    [
        ('{"epoch": 3}', "did you mean 'epochs'"),
        ('{"optimiser": {"learningrate": 3}}', "did you mean 'learning_rate'"),
        ('{"augment": {"mosaik": 1}}', "did you mean 'mosaic'"),
        ('{"optimiser": {"algorithm": "lion"}}', "sgd, adamw"),
        ('{"optimiser": 3}', "table of options"),
        ("[]", "table of options"),
        ("{", "not JSON"),
        ("[" * 100_000, "not JSON"),
        ('{"epochs": "3"}', "wrong kind"),
        ('{"epochs": 2.5}', "wrong kind"),
        ('{"strict": "no"}', "wrong kind"),
        ('{"data": "abc"}', "wrong kind"),
        ('{"weights": 3}', "wrong kind"),
        ('{"optimiser": {"learning_rate": true}}', "wrong kind"),
        ('{"knowledge": {"alignement": "add"}}', "did you mean 'alignment'"),
        ('{"knowledge": {"alignment": "divide"}}', "none, add, multiply, concat"),
        ('{"knowledge": {"refinement": "concat"}}', "cannot be refined by concat"),
        ('{"balance": {"weights": [1, 2]}}', "wrong kind"),
        ('{"balance": {"weights": {"tags": "much"}}}', "wrong kind"),
        ('{"balance": {"weights": {"tags": -1}}}', "'tags' cannot count"),
        ('{"tasks": ["detect", 3]}', "wrong kind"),
    ],
)
def test_a_wrong_recipe_file_is_told(text, telling):
    with pytest.raises(ConfigError, match=telling):
        Recipe.from_json(text)


@pytest.mark.parametrize(
    "options",
    [
        {"epochs": 0},
        {"batch": 0},
        {"accumulate": -1},
        {"workers": -1},
        {"grow": 1.5},
        {"min_score": -0.1},
        {"size": 100},
        {"size": 0},
        {"start_size": 33},
        {"checkpoint_minutes": -1.0},
        {"checkpoint_minutes": float("nan")},
        {"seed": -1},
        {"scratch": True, "weights": Path("w")},
        {"tasks": ()},
        {"tasks": ("detect", "detect")},
        {"tasks": ("detect,tags,detect",)},
        {"learn": ("pose",)},
        {"shares": (1.0,)},
        {"shares": (1.0, 2.0), "data": (Path("a"),)},
        {"shares": (0.0,), "data": (Path("a"),)},
        {"shares": (float("nan"),), "data": (Path("a"),)},
    ],
)
def test_impossible_values(options):
    with pytest.raises(ConfigError, match=next(iter(options))):
        Recipe(**options)


@given(epochs=st.integers(1, 50), start=st.integers(1, 20), end=st.integers(1, 20), grow=st.floats(0, 1))
def test_sizes_grow_from_start_to_size_in_strides(epochs, start, end, grow):
    recipe = Recipe(epochs=epochs, start_size=32 * start, size=32 * end, grow=grow)
    sizes = [recipe.size_at(epoch) for epoch in range(epochs + 1)]
    assert all(size % 32 == 0 for size in sizes)
    assert sizes[0] == 32 * start
    assert sizes[-1] == 32 * end
    assert sizes == sorted(sizes, reverse=start > end)


def test_without_a_start_size_nothing_grows():
    assert {Recipe(size=96, epochs=9).size_at(epoch) for epoch in range(9)} == {96}


@pytest.mark.parametrize(
    "options",
    [
        {"clip": -1.0},
        {"ema_ramp": 0.0},
        {"momentum": 0.0},
        {"momentum": 1.0},
        {"learning_rate": -0.1},
        {"weight_decay": -0.1},
        {"final_factor": 1.1},
        {"warmup_epochs": float("nan")},
    ],
)
def test_impossible_optimisers(options):
    with pytest.raises(ConfigError, match=next(iter(options))):
        Optimiser(**options)


@pytest.mark.parametrize(
    ("options", "from_weights", "algorithm", "rate"),
    [
        ({}, True, Algorithm.MUON, 0.0005),
        ({}, False, Algorithm.SGD, 0.01),
        ({"learning_rate": 0.002}, True, Algorithm.MUON, 0.002),
        ({"algorithm": Algorithm.SGD}, True, Algorithm.SGD, 0.01),
        ({"algorithm": Algorithm.ADAMW}, False, Algorithm.ADAMW, 0.001),
    ],
)
def test_an_optimiser_is_settled_by_where_the_run_starts(options, from_weights, algorithm, rate):
    plan = Optimiser(**options).settled(from_weights=from_weights)
    assert plan == Optimiser(algorithm=algorithm, learning_rate=rate)
    assert plan.settled(from_weights=not from_weights) == plan


def test_tasks_may_be_named_with_commas():
    recipe = Recipe(tasks=("detect,pose", "tags"), learn=("pose,tags",))
    assert recipe.tasks == ("detect", "pose", "tags")
    assert recipe.learn == ("pose", "tags")
