"""Weights files: the same network comes back, and whatever else a file may be is told in a sentence."""

import json
import os
import pickle
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from safetensors import safe_open
from safetensors.torch import load_file, save_file
from torch import Tensor
from trained import look_trained

from tacit.errors import WeightsError
from tacit.network import Network
from tacit.weights import files
from tacit.weights.files import KEY, bundled, load, read, save
from tacit.weights.record import Record
from tacit.zoo import create

RECORD = Record(model="debug", classes=("square", "disc"), input_size=64, figures={"AP50": 0.5})


@pytest.fixture(scope="module")
def network() -> Network:
    torch.manual_seed(0)
    return look_trained(create("debug", 2))


@pytest.fixture
def path(network: Network, tmp_path: Path) -> Path:
    save(network, RECORD, tmp_path / "weights.safetensors")
    return tmp_path / "weights.safetensors"


def answer(network: Network) -> Tensor:
    images = torch.rand(2, 3, 64, 96, generator=torch.Generator().manual_seed(0))
    with torch.inference_mode():
        return network.decode(network(images))["detect"]["rows"]


def test_there_and_back(network: Network, path: Path) -> None:
    weights = load(path)
    assert weights.record == RECORD
    assert not weights.network.training
    assert torch.equal(answer(weights.network), answer(network))
    assert weights.network.state_dict().keys() == network.state_dict().keys()


def test_half_rounds_once(network: Network, path: Path) -> None:
    half = path.with_name("half.safetensors")
    save(network, RECORD, half, half=True)
    assert half.stat().st_size < 0.7 * path.stat().st_size  # the names take their share
    with safe_open(half, framework="pt") as file:
        stored = {file.get_tensor(name).dtype for name in file.keys()}  # noqa: SIM118
    assert stored == {torch.float16, torch.int64}
    loaded = load(half).network.state_dict()
    for name, value in network.state_dict().items():
        assert loaded[name].dtype == value.dtype
        assert torch.equal(loaded[name], value.half().float() if value.is_floating_point() else value)


def test_saving_leaves_one_file_and_replaces_the_old(network: Network, path: Path) -> None:
    save(network, Record(model="debug", classes=("square", "disc"), input_size=96), path)
    assert [each.name for each in path.parent.iterdir()] == [path.name]
    assert read(path)[0].input_size == 96


def test_failed_saving_leaves_the_old(network: Network, path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = path.read_bytes()

    def full_disk(number: int) -> None:
        raise OSError("no space left")

    monkeypatch.setattr(os, "fsync", full_disk)
    with pytest.raises(OSError, match="no space left"):
        save(network, RECORD, path)
    assert path.read_bytes() == before


def test_loading_does_not_touch_random_numbers_of_the_file(path: Path) -> None:
    """Two loads are alike, whatever the state of the random numbers that a fresh network starts from."""
    torch.manual_seed(1)
    first = load(path).network
    torch.manual_seed(2)
    assert torch.equal(answer(first), answer(load(path).network))


def rewrite(path: Path, change: Callable[[dict[str, Tensor]], object], metadata: dict[str, str] | None) -> None:
    """The same tensors, changed in place, under other metadata."""
    state = load_file(path)
    change(state)
    save_file(state, path, metadata=metadata)


def with_record(text: str) -> Callable[[Path], None]:
    return lambda path: rewrite(path, lambda state: None, {KEY: text})


def with_tensors(change: Callable[[dict[str, Tensor]], object]) -> Callable[[Path], None]:
    return lambda path: rewrite(path, change, {KEY: RECORD.to_json()})


def renamed(path: Path) -> None:
    path.unlink()
    path.mkdir()


def record(**changes: object) -> str:
    return json.dumps({**json.loads(RECORD.to_json()), **changes})


FIRST = "trunk.stages.0.0.bypass.conv.weight"
FAULTS: list[tuple[str, Callable[[Path], object], str]] = [
    ("missing", Path.unlink, "no weights file at"),
    ("a folder", renamed, "no weights file at"),
    ("empty", lambda path: path.write_bytes(b""), "cannot be read as weights"),
    ("a web page", lambda path: path.write_text("<!DOCTYPE html><html>Not found</html>"), "cannot be read as weights"),
    ("a pickle", lambda path: path.write_bytes(pickle.dumps({"model": 1})), "cannot be read as weights"),
    ("a checkpoint of torch", lambda path: torch.save({"model": torch.ones(9)}, path), "cannot be read as weights"),
    ("truncated", lambda path: path.write_bytes(path.read_bytes()[:-1000]), "cannot be read as weights"),
    ("header only", lambda path: path.write_bytes(path.read_bytes()[:50]), "cannot be read as weights"),
    ("not ours", lambda path: rewrite(path, lambda state: None, None), "no record of tacit"),
    ("of others", lambda path: rewrite(path, lambda state: None, {"format": "pt"}), "no record of tacit"),
    ("no JSON", with_record("{model: debug}"), "damaged"),
    ("half a record", with_record('{"model": "debug"}'), "damaged.*classes"),
    ("classes amiss", with_record(record(classes="square")), "damaged"),
    ("unknown model", with_record(record(model="debugg")), "does not know.*'debugg'"),
    ("no classes", with_record(record(classes=[])), "0 classes"),
    ("other classes", with_record(record(classes=["square"])), "other shapes in tasks.detect.heads.0.conv.bias"),
    ("lacks a tensor", with_tensors(lambda state: state.pop(FIRST)), f"lacks {FIRST} .1 in all"),
    ("one too many", with_tensors(lambda state: state.update(more=torch.ones(1))), "too many tensors: more .1 in all"),
    (
        "wrong shape",
        with_tensors(lambda state: state.update({FIRST: torch.ones(3)})),
        f"other shapes in {FIRST} .1 in all",
    ),
]


@pytest.mark.parametrize(("spoil", "told"), [fault[1:] for fault in FAULTS], ids=[fault[0] for fault in FAULTS])
def test_error(spoil: Callable[[Path], object], told: str, path: Path) -> None:
    spoil(path)
    with pytest.raises(WeightsError, match=told) as caught:
        load(path)
    assert "damaged" in told or "damaged" in str(caught.value) or str(path) in str(caught.value)


def test_a_file_runs_nothing(path: Path) -> None:
    class Trap:
        def __reduce__(self) -> tuple:
            return Path.touch, (path.with_name("sprung"),)

    path.write_bytes(pickle.dumps(Trap()))
    with pytest.raises(WeightsError):
        load(path)
    assert not path.with_name("sprung").exists()


def test_only_some_models_come_with_the_package(monkeypatch: pytest.MonkeyPatch) -> None:
    assert bundled("debug") is None
    monkeypatch.setattr(files, "bundled", lambda model: None)
    with pytest.raises(WeightsError, match="no bundled weights"):
        load()


def test_bundled_weights() -> None:
    path = bundled("nano")
    if path is None:
        pytest.skip("this checkout has no bundled weights")
    weights = load()
    assert path.stat().st_size <= 8_000_000
    assert weights.record.model == "nano"
    assert "person" in weights.record.classes
    assert weights.record.data
    assert weights.record.recipe
    assert weights.record.figures
    assert weights.record.hardware
    assert all(value.isfinite().all() for value in weights.network.state_dict().values())
