"""Where a network starts: its own classes, and of a file what fits."""

from pathlib import Path

import numpy as np
import pytest
import torch

from tacit.errors import ConfigError, WeightsError
from tacit.tasks.detect.head import Detect
from tacit.training.recipe import Algorithm, Recipe
from tacit.training.start import class_names, settled, start_from, starting_network
from tacit.weights import Record, read, save
from tacit.zoo import create

DETECTS = {"detect": {"classes": ["a"]}}
SEVEN = tuple("abcdefg")


@pytest.fixture(scope="module")
def seven(tmp_path_factory: pytest.TempPathFactory) -> Path:
    torch.manual_seed(5)
    path = tmp_path_factory.mktemp("weights") / "seven.safetensors"
    record = Record(model="debug", classes=SEVEN, input_size=96, licence="CC0", figures={"ap": 0.5}, scored_on="dev")
    save(create("debug", 7), record, path)
    return path


def state_of(path: Path) -> dict[str, torch.Tensor]:
    return read(path)[1]


@pytest.mark.parametrize("classes", [7, np.int64(7), SEVEN, list(SEVEN), np.array(SEVEN)])
def test_the_same_classes_take_all_of_it(seven: Path, classes: object) -> None:
    start = start_from("debug", classes, seven)
    assert (start.record.classes, start.record.figures, start.partly) == (SEVEN, {"ap": 0.5}, False)
    assert "all of it" in start.origin
    for name, value in state_of(seven).items():
        assert torch.equal(value, start.network.state_dict()[name])


@pytest.mark.parametrize("classes", [20, ("a", "b"), tuple("gfedcba")])
def test_other_classes_keep_the_trunk_alone(seven: Path, classes: object) -> None:
    start = start_from("debug", classes, seven)
    assert start.partly
    assert "the trunk of seven.safetensors" in start.origin
    assert "heads are new" in start.origin
    count = classes if isinstance(classes, int) else len(classes)
    assert len(start.record.classes) == count
    assert (start.record.licence, start.record.input_size) == ("CC0", 96)  # of the trunk it still is
    assert (start.record.figures, start.record.scored_on) == ({}, "")  # these it has no more
    own = start.network.state_dict()
    trunk = {name: value for name, value in state_of(seven).items() if name.startswith("trunk.")}
    assert trunk
    assert all(torch.equal(value, own[name]) for name, value in trunk.items())
    heads = [name for name in own if name.startswith("tasks.") and name.endswith("conv.weight")]
    assert not any(torch.equal(state_of(seven)[name][:15], own[name][:15]) for name in heads)


def test_heads_and_knowledge_follow_the_classes() -> None:
    network = start_from("debug", 20, None).network
    detect = network.task("detect")
    assert isinstance(detect, Detect)
    for head in detect.heads:
        assert head.conv.out_channels == 3 * 25 == head.multiply.knowledge().numel()


def test_a_trunk_that_lacks_something_is_refused(seven: Path, tmp_path: Path) -> None:
    network = create("debug", 7)
    gone = next(name for name, part in network.trunk.named_children() if part.state_dict())
    delattr(network.trunk, gone)
    save(network, Record(model="debug", classes=SEVEN, input_size=96), tmp_path / "part.safetensors")
    for classes in (2, 7):
        with pytest.raises(WeightsError, match=f"lacks trunk.{gone}"):
            start_from("debug", classes, tmp_path / "part.safetensors")


def test_error_the_file_is_for_another_model(seven: Path) -> None:
    with pytest.raises(WeightsError, match="holds a 'debug', not a 'nano'"):
        start_from("nano", 7, seven)


@pytest.mark.parametrize(("model", "size"), [("nano", 416), ("debug", 640)])
def test_a_new_model_knows_its_size(model: str, size: int) -> None:
    assert start_from(model, 2, None).record.input_size == size


def test_names() -> None:
    assert class_names(2) == ("class 0", "class 1")
    assert class_names(name for name in ("cat", "dog")) == ("cat", "dog")


@pytest.mark.parametrize(
    ("classes", "told"),
    [
        (0, "cannot have no classes"),
        (-3, "cannot have -3 classes"),
        ([], "cannot have no classes"),
        (np.array([], dtype=str), "cannot have no classes"),
        ("cat", "'cat' are no classes.*put the names into a list"),
        (["cat", ""], "are no classes"),
        (["cat", "dog", "cat"], "'cat' is named twice"),
    ],
)
def test_error_classes(classes: object, told: str) -> None:
    with pytest.raises(ConfigError, match=told):
        start_from("debug", classes, None)


def test_error_sizes_that_the_grid_cannot_take(monkeypatch: pytest.MonkeyPatch) -> None:
    def coarse(classes: int) -> object:
        network = create("debug", classes)
        network.stride = 64
        return network

    monkeypatch.setitem(__import__("tacit.zoo").zoo.MODELS, "coarse", coarse)
    for sizes in ({"size": 416}, {"size": 640, "start_size": 320}):
        recipe = Recipe(model="coarse", **sizes)
        with pytest.raises(ConfigError, match=r"pixels do not fit 'coarse'.*multiples of 64"):
            starting_network(recipe, ("a",), DETECTS)
    start = starting_network(Recipe(model="coarse", size=640), ("a",), DETECTS)
    assert (start.network.stride, start.origin) == (64, "starting from random weights")


def test_a_resumed_run_begins_with_its_own(seven: Path) -> None:
    torch.manual_seed(6)
    own = seven.with_name("last.safetensors")
    save(create("debug", 7), Record(model="debug", classes=SEVEN, input_size=96), own)
    start = starting_network(
        Recipe(model="debug", weights=seven), SEVEN, {"detect": {"classes": list(SEVEN)}}, resumed=own
    )
    assert start.origin == "going on with the weights of the run"
    assert all(torch.equal(value, start.network.state_dict()[name]) for name, value in state_of(own).items())


@pytest.mark.parametrize(
    ("options", "algorithm"),
    [
        ({"model": "nano"}, Algorithm.MUON),
        ({"model": "nano", "scratch": True}, Algorithm.SGD),
        ({"model": "debug"}, Algorithm.SGD),
        ({"model": "debug", "weights": Path("mine.safetensors")}, Algorithm.MUON),
    ],
)
def test_weights_are_gone_on_with_by_muon_and_random_ones_by_sgd(options, algorithm):
    assert settled(Recipe(**options)).optimiser.algorithm is algorithm
