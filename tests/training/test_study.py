"""Studies that run: resumed to the same bits, shared between studies, refused for another recipe."""

import math
from dataclasses import replace

import pytest
import torch
from drawn import drawn_dataset

from tacit import weights, zoo
from tacit.errors import ConfigError
from tacit.training.recipe import Recipe
from tacit.training.study import finish, plan_study


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    return drawn_dataset(tmp_path_factory.mktemp("drawn"), train=8, val=4)


@pytest.fixture
def base(data, tmp_path):
    return Recipe(data=(data,), model="debug", output=tmp_path / "study", epochs=1, batch=4, size=64, workers=0)


class Stop:
    """A reporter that interrupts after some steps."""

    def __init__(self, after):
        self.left = after

    def note(self, text):
        pass

    def fault(self, fault):
        pass

    def step(self, epoch, step, steps, losses):
        self.left -= 1
        if self.left <= 0:
            raise KeyboardInterrupt

    def epoch(self, row):
        pass


@pytest.mark.slow
def test_a_stopped_study_goes_on_to_the_same_figures(base, tmp_path):
    whole = [finish(run) for run in plan_study("alignment", base, seeds=2).runs]
    stopped = replace(base, output=tmp_path / "stopped", checkpoint_minutes=0.0)
    runs = plan_study("alignment", stopped, seeds=2).runs
    finish(runs[0])
    with pytest.raises(KeyboardInterrupt):
        finish(runs[1], Stop(after=2))
    runs = plan_study("alignment", stopped, seeds=2).runs
    assert [run.outcome is not None for run in runs] == [True, False, False, False]
    again = [finish(run) for run in runs]
    assert [replace(one, seconds=0.0) for one in again] == [replace(one, seconds=0.0) for one in whole]
    names = {path.name for path in (stopped.output / "runs").iterdir()}
    assert names == {f"detect_{uses}_seed{seed}" for uses in ("no-knowledge", "add-alignment") for seed in (0, 1)}


def test_what_came_of_a_run(base):
    bare, aligned = (finish(run) for run in plan_study("alignment", base, seeds=1).runs)
    assert bare.knowledge == 0
    assert aligned.parameters - bare.parameters == aligned.knowledge == 3 * 16
    assert aligned.gflops == bare.gflops > 0
    assert {"ap", "ap50"} <= bare.figures.keys()
    assert 0 < bare.seconds < math.inf


def test_finished_runs_are_not_repeated_and_studies_share_them(base, monkeypatch):
    for run in plan_study("alignment", base, seeds=1).runs:
        finish(run)
    monkeypatch.setattr("tacit.training.study.train", None)
    monkeypatch.setattr("tacit.training.study.resume", None)
    known = {run.variant.label: run for run in plan_study("operators", base, seeds=1).runs if run.outcome}
    assert known.keys() == {"baseline", "+ iFA"}
    assert finish(known["baseline"]) == known["baseline"].outcome


def test_another_recipe_is_refused(base):
    run = plan_study("alignment", base, seeds=1).runs[0]
    with pytest.raises(KeyboardInterrupt):
        finish(run, Stop(after=1))
    with pytest.raises(ConfigError, match="batch was 4, and is now 8"):
        plan_study("refinement", replace(base, batch=8), seeds=1)
    assert plan_study("alignment", base, seeds=4)  # more seeds are no other recipe


@pytest.mark.slow
def test_every_run_starts_from_the_same_trunk_with_new_heads(base, tmp_path):
    """The weights come with a head of just these classes and with knowledge: that one would be ahead."""
    torch.manual_seed(5)
    source = zoo.debug(2)
    path = tmp_path / "two.safetensors"
    weights.save(source, weights.Record(model="debug", classes=("square", "disc"), input_size=64), path)
    recipe = replace(base, weights=path, optimiser=replace(base.optimiser, learning_rate=0.0, warmup_bias_rate=0.0))
    for run in plan_study("refinement", replace(recipe, epochs=1), seeds=1).runs:
        finish(run)
        found = weights.load(run.recipe.output / "last.safetensors").network
        assert torch.equal(found.trunk.outs[0].conv.weight, source.trunk.outs[0].conv.weight)
        assert not torch.equal(found.task("detect").heads[0].conv.weight, source.task("detect").heads[0].conv.weight)


def test_other_weights_are_another_recipe(base, tmp_path):
    for name in ("one", "two"):
        weights.save(zoo.debug(2), weights.Record(model="debug", classes=("a", "b"), input_size=64), tmp_path / name)
    with pytest.raises(KeyboardInterrupt):
        finish(plan_study("alignment", replace(base, weights=tmp_path / "one"), seeds=1).runs[0], Stop(after=1))
    with pytest.raises(ConfigError, match="weights was"):
        plan_study("alignment", replace(base, weights=tmp_path / "two"), seeds=1)


def test_a_damaged_outcome_is_named(base):
    run = plan_study("alignment", base, seeds=1).runs[0]
    run.recipe.output.mkdir(parents=True)
    for text in ("{", '{"figures": {}}', '{"figurs": {}}'):
        (run.recipe.output / "outcome.json").write_text(text)
        with pytest.raises(ConfigError, match=r"outcome\.json"):
            assert run.outcome


@pytest.mark.parametrize(
    ("change", "seeds", "message"),
    [({}, 0, "seeds=0"), ({"data": ()}, 1, "nothing to train on"), ({"epochs": 3}, 1, "cannot be halved")],
)
def test_what_cannot_be_studied(base, change, seeds, message):
    with pytest.raises(ConfigError, match=message):
        plan_study("tasks", replace(base, **change), seeds)


def test_several_processes_are_refused(base, monkeypatch):
    monkeypatch.setenv("WORLD_SIZE", "2")
    with pytest.raises(ConfigError, match="one process"):
        plan_study("alignment", base)
