"""The table of a study: its figures by hand, its files, its drawing."""

import json
import math
from pathlib import Path

import pytest
from PIL import Image

from tacit.training.recipe import Recipe
from tacit.training.studies import STUDIES, Variant
from tacit.training.study import Outcome, Plan, Run
from tacit.training.study_chart import draw_study
from tacit.training.study_report import as_json, as_markdown, write_table
from tacit.training.study_table import Spread, chance, tabulate

BASE = Recipe(data=(Path("/home/someone/everyday"),), model="debug", epochs=2, output=Path("/home/someone/out"))
FIRST, SECOND = Variant(label="baseline", ap=47.8), Variant(label="+ iFA", ap=47.9)


def outcome(ap, **more):
    return Outcome({"ap": ap, "ap50": 2 * ap, **more}, parameters=1000, knowledge=10, gflops=0.5, seconds=60.0)


@pytest.fixture
def table():
    """Two variants, three seeds; the second also has tags."""
    runs, outcomes = [], []
    for seed, (ap, other) in enumerate([(0.10, 0.12), (0.20, 0.23), (0.15, 0.16)]):
        recipe = Recipe(data=BASE.data, output=Path(f"/home/someone/out/runs/{seed}"), seed=seed)
        runs += [Run(FIRST, recipe), Run(SECOND, recipe)]
        outcomes += [outcome(ap), outcome(other, **{"tags/map": 0.5, "tags/f1": 0.4})]
    return tabulate(Plan("alignment", STUDIES["alignment"], BASE, (FIRST, SECOND), tuple(runs)), outcomes)


def test_mean_and_spread_by_hand(table):
    ap = table.lines[0].figures["ap"]
    assert ap.mean == pytest.approx(0.15)
    assert ap.deviation == pytest.approx(0.05)  # sqrt((0.05^2 + 0.05^2 + 0) / 2)
    assert ap.by_seed == {0: 0.10, 1: 0.20, 2: 0.15}


def test_differences_are_paired_by_seed(table):
    """0.02, 0.03, 0.01: far less spread than the figures themselves."""
    one = next(one for one in table.lines[1].differences if one.figure == "ap")
    assert one.against == "baseline"
    assert list(one.spread.by_seed.values()) == pytest.approx([0.02, 0.03, 0.01])
    assert one.spread.mean == pytest.approx(0.02)
    assert one.spread.deviation == pytest.approx(0.01)
    assert one.spread.error == pytest.approx(0.01 / math.sqrt(3))
    assert one.clear is True


def test_what_only_one_of_them_answers_has_no_difference(table):
    assert {one.figure for one in table.lines[1].differences} == {"ap", "ap50"}
    assert table.lines[0].differences == ()


def test_the_main_figure_of_each_task_is_shown(table):
    assert table.shown == ("ap", "ap50", "tags/map")


def test_one_seed_has_no_spread():
    spread = Spread.of({0: 0.3})
    assert (spread.mean, spread.deviation, spread.error) == (0.3, None, None)


@pytest.mark.parametrize(("seeds", "wanted"), [(2, 0.2952), (3, 0.1835), (5, 0.1161), (1000, 0.0458)])
def test_chance_is_the_tails_of_students_t(seeds, wanted):
    """Closed forms for 1 and 2 degrees of freedom: 1 - 2 atan(2) / pi and 1 - 2 / sqrt(6); tables for the others."""
    assert chance(seeds) == pytest.approx(wanted, abs=2e-4)


def test_markdown_says_it_all(table):
    text = as_markdown(table)
    assert "# Feature alignment (the paper's Table 1)" in text
    assert "on everyday, 2 epochs in batches of 16, from random weights; seeds 0, 1, 2" in text
    assert "| baseline | 15.00 ± 5.00 | 30.00 ± 10.00 | - | 47.8 | 1,000 | 10 | 0.500 | 60 ± 0 |" in text
    assert "| + iFA | baseline | AP | +2.00 ± 1.00 | 0.58 | **yes** | +0.1 |" in text
    assert "| + iFA | tags map | 50.00 | 50.00 | 50.00 |" in text
    assert "18 of 100" in text
    assert "someone" not in text


def test_json_holds_the_recipe_and_no_path_of_this_machine(table):
    text = as_json(table)
    values = json.loads(text)
    assert "someone" not in text
    assert values["recipe"]["epochs"] == 2
    assert values["data"] == ["everyday"]
    assert values["variants"][0]["figures"]["ap"]["by_seed"] == {"0": 0.1, "1": 0.2, "2": 0.15}
    assert values["variants"][1]["differences"][0]["clear"] is True


def test_the_drawing_has_a_row_for_each_task(table, tmp_path):
    path = tmp_path / "study.png"
    with path.open("wb") as file:
        draw_study(table, file)
    with Image.open(path) as picture:
        assert picture.size[0] > 1000
        assert 400 < picture.size[1] < 900


def test_files_are_named_by_the_study(table, tmp_path):
    assert [path.name for path in write_table(table, tmp_path)] == ["alignment.md", "alignment.json", "alignment.png"]
    assert {path.name for path in tmp_path.iterdir()} == {"alignment.md", "alignment.json", "alignment.png"}
