"""What the studies compare: each variant is the difference that the paper names, and nothing more."""

from dataclasses import replace
from pathlib import Path

import pytest

from tacit.errors import ConfigError
from tacit.nn.uses import Modelling, Operator, Uses
from tacit.training.balance import Balance
from tacit.training.recipe import Optimiser, Recipe
from tacit.training.studies import BARE, STUDIES, study_of
from tacit.training.study import run_name

BASE = Recipe(data=(Path("photographs"),), tasks=("pose", "detect", "tags"), epochs=4)
ALONE = replace(BASE, tasks=("detect",))


def changes(name, base=ALONE):
    return {variant.label: variant.of(base) for variant in STUDIES[name].variants(base)}


@pytest.mark.parametrize("name", STUDIES)
def test_every_study_starts_from_a_baseline_and_compares_with_its_own(name):
    variants = STUDIES[name].variants(BASE)
    labels = [variant.label for variant in variants]
    assert len(labels) == len(set(labels)) > 1
    assert variants[0].against == ()
    assert all(set(variant.against) <= set(labels) - {variant.label} for variant in variants)


@pytest.mark.parametrize("name", ["alignment", "refinement", "operators", "forms", "modelling"])
def test_ablations_of_knowledge_change_only_knowledge(name):
    recipes = changes(name)
    assert recipes["baseline"].knowledge == BARE
    assert all(replace(recipe, knowledge=Uses()) == ALONE for recipe in recipes.values())


def test_the_forms_of_the_paper():
    uses = {
        label: recipe.knowledge
        for name in ("operators", "forms", "modelling")
        for label, recipe in changes(name).items()
    }
    align = {label: (one.alignment, one.modelling) for label, one in uses.items() if one.alignment is not Operator.NONE}
    assert align == {
        "+ iFA": (Operator.ADD, Modelling.VECTOR),
        "+ iFA, vector": (Operator.ADD, Modelling.VECTOR),
        "× iFA": (Operator.MULTIPLY, Modelling.VECTOR),
        "concat iFA": (Operator.CONCAT, Modelling.VECTOR),
        "× iFA*, each anchor its own": (Operator.MULTIPLY, Modelling.VECTOR),
        "+ wiFA, network": (Operator.ADD, Modelling.NETWORK),
        "+ icFA, factorisation": (Operator.ADD, Modelling.FACTORISATION),
    }
    assert uses["× iFA*, each anchor its own"].clusters
    assert uses["+ iPR"].refinement is Operator.ADD
    assert uses["× iPR"].refinement is Operator.MULTIPLY
    assert uses["× iPR*, w and h only"] == replace(BARE, sizes=True)


def test_the_published_figures():
    """reference: T1 to T6 of the paper, the AP column."""
    told = {name: [variant.ap for variant in STUDIES[name].variants(BASE)] for name in STUDIES}
    assert told["alignment"] == [47.8, 47.9]
    assert told["refinement"] == [47.8, 47.8, 48.0]
    assert told["tasks"] == [48.0, None, 47.7, 48.1, 48.1, 48.3]
    assert told["operators"] == [47.8, 47.9, 47.4, 47.8, 47.8, 48.0]
    assert told["forms"] == [47.8, 47.4, 47.9, 48.0, 48.1]
    assert told["modelling"] == [47.8, 47.9, 47.8, 48.0]
    assert set(told["balance"] + told["sharing"]) == {None}


def test_every_run_sees_the_same_number_of_pictures():
    """Embedding shows every photograph twice an epoch."""
    optimiser = Optimiser(warmup_epochs=2.0)
    recipes = changes("tasks", replace(ALONE, optimiser=optimiser))
    paired = recipes["detect + embed"]
    assert (recipes["detect"].epochs, paired.epochs) == (4, 2)
    assert paired.optimiser == replace(optimiser, warmup_epochs=1.0)
    with pytest.raises(ConfigError, match="5 epochs cannot be halved"):
        changes("tasks", replace(ALONE, epochs=5))


def test_sharing_sets_every_task_alone_beside_all():
    recipes = changes("sharing", replace(BASE, balance=Balance(weights={"pose": 0.5, "tags": 2.0})))
    assert {label: recipe.tasks for label, recipe in recipes.items()} == {
        "detect alone": ("detect",),
        "tags alone": ("tags",),
        "pose with detect": ("detect", "pose"),
        "all together": BASE.tasks,
    }
    assert recipes["pose with detect"].balance.weights == {"pose": 0.5}
    *alone, together = STUDIES["sharing"].variants(BASE)
    assert together.against == tuple(variant.label for variant in alone)


@pytest.mark.parametrize(("weights", "lines"), [({}, 2), ({"pose": 0.5}, 3)])
def test_balance_compares_stated_weights_only_where_there_are_any(weights, lines):
    recipes = list(changes("balance", replace(BASE, balance=Balance(weights=weights))).values())
    assert len(recipes) == lines
    assert [recipe.balance.learned for recipe in recipes] == [False] * (lines - 1) + [True]
    assert recipes[0].balance.weights == {}


@pytest.mark.parametrize("name", ["balance", "sharing"])
def test_one_task_is_none_to_compare(name):
    with pytest.raises(ConfigError, match="compares several tasks"):
        changes(name)


def test_an_unknown_study_is_answered_with_the_nearest():
    with pytest.raises(ConfigError, match="did you mean 'operators'"):
        study_of("operator")


def test_runs_of_all_studies_have_one_name_for_one_recipe():
    base = replace(BASE, balance=Balance(weights={"pose": 0.5, "tags": 2.0}))
    recipes = [recipe for name in STUDIES for recipe in changes(name, base).values()]
    assert len({run_name(recipe) for recipe in recipes}) == len({recipe.to_json() for recipe in recipes})
    assert run_name(replace(ALONE, knowledge=BARE, seed=3)) == "detect_no-knowledge_seed3"
    assert run_name(base) == "pose-detect-tags_add-alignment_multiply-refinement_stated-weights_seed0"
