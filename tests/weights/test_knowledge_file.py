"""Knowledge files: what they add to a network, what they leave as it was, and what is refused."""

import json
import pickle
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from safetensors import safe_open
from safetensors.torch import load_file, save_file
from swatches import KEY, RECORD, network_of_two, untaught
from torch import Tensor

from tacit.api import Model, load
from tacit.errors import ConfigError, TacitError, WeightsError
from tacit.network import Network
from tacit.tasks.tags.answer import Tags
from tacit.weights import knowledge_file, save
from tacit.weights.knowledge_file import MOST, check_name, is_knowledge, read, trunk_hash, write
from tacit.weights.knowledge_record import is_name
from tacit.zoo import create

LOW = 1e-4


@pytest.fixture(scope="module")
def network() -> Network:
    return network_of_two()


@pytest.fixture
def model(network: Network) -> Model:
    return Model(network, RECORD)


@pytest.fixture
def birds(network: Network, tmp_path: Path) -> Path:
    write(untaught(network, "birds"), tmp_path / "birds.safetensors")
    return tmp_path / "birds.safetensors"


@pytest.fixture
def fish(network: Network, tmp_path: Path) -> Path:
    write(untaught(network, "fish", ("cod", "eel", "ray"), seed=2), tmp_path / "fish.safetensors")
    return tmp_path / "fish.safetensors"


def raw(network: Network) -> dict[str, list[Tensor]]:
    images = torch.rand(2, 3, 64, 96, generator=torch.Generator().manual_seed(0))
    with torch.inference_mode():
        return network(images)


def assert_same(one: dict[str, list[Tensor]], other: dict[str, list[Tensor]], *names: str) -> None:
    for name in names:
        assert all(torch.equal(a, b) for a, b in zip(one[name], other[name], strict=True))


def test_there_and_back_in_16_bits(network: Network, birds: Path) -> None:
    taught, original = read(birds), untaught(network, "birds")
    assert taught.record == original.record
    assert {name: value.dtype for name, value in taught.state.items()} == {
        name: value.dtype for name, value in original.state.items()
    }
    assert all(torch.equal(value.half().float(), taught.state[name]) for name, value in original.state.items())
    with safe_open(birds, framework="pt") as file:
        assert {file.get_tensor(name).dtype for name in file.keys()} == {torch.float16}  # noqa: SIM118
    assert birds.stat().st_size < 60_000


def test_what_16_bits_cannot_hold_stays_whole(network: Network, tmp_path: Path) -> None:
    taught = untaught(network, "birds")
    taught.state["respond.conv.bias"].fill_(1e6)
    write(taught, tmp_path / "large.safetensors")
    assert read(tmp_path / "large.safetensors").state["respond.conv.bias"].tolist() == [1e6, 1e6]


def test_a_trunk_has_one_hash_wherever_it_is(network: Network, tmp_path: Path) -> None:
    for half in (False, True):
        save(network.half().float() if half else network, RECORD, tmp_path / "w.safetensors", half=half)
        assert trunk_hash(load(tmp_path / "w.safetensors").network.trunk) == trunk_hash(network.trunk)
    before = trunk_hash(network_of_two().trunk)
    other = network_of_two()
    next(part for part in other.trunk.modules() if hasattr(part, "running_mean")).running_mean[0] += 1e-3
    assert trunk_hash(other.trunk) != before


def test_an_added_task_leaves_all_others_as_they_are_to_the_bit(
    model: Model, birds: Path, fish: Path, scene: tuple
) -> None:
    both = model.add(birds).add(str(fish))
    assert both.tasks == ("detect", "tags", "birds", "fish")
    assert model.tasks == ("detect", "tags")
    assert_same(raw(both.network), raw(model.network), "detect", "tags")
    assert_same(raw(both.network.fold()), raw(model.network.fold()), "detect", "tags")
    one, other = (each.predict(scene[0], confidence=LOW) for each in (model, both))
    assert all((getattr(one, name) == getattr(other, name)).all() for name in ("boxes", "scores", "classes"))
    assert (one.answers["tags"].scores == other.answers["tags"].scores).all()
    kinds = other.answers["birds"], other.answers["fish"]
    assert all(isinstance(kind, Tags) for kind in kinds)
    assert [set(kind.names) for kind in kinds] == [{"red", "green"}, {"cod", "eel", "ray"}]


def test_several_share_one_pass_of_the_trunk(model: Model, birds: Path, fish: Path, scene: tuple) -> None:
    stages, passes = model.add(birds).add(fish).stages(), []
    stages.network.trunk.register_forward_hook(lambda *_: passes.append(1))
    (result,) = stages([scene[0]])
    assert set(result.answers) == {"tags", "birds", "fish"}
    assert passes == [1]


def test_a_task_that_is_removed_is_gone(model: Model, birds: Path, fish: Path, scene: tuple) -> None:
    both = model.add(birds).add(fish)
    fewer = both.remove("birds")
    assert (both.tasks, fewer.tasks) == (("detect", "tags", "birds", "fish"), ("detect", "tags", "fish"))
    assert set(fewer.predict(scene[0]).answers) == {"tags", "fish"}
    assert_same(raw(fewer.network), raw(both.network), "detect", "tags", "fish")
    assert fewer.add(birds).tasks == ("detect", "tags", "fish", "birds")
    with pytest.raises(ConfigError, match="'bird'"):
        both.remove("bird")
    with pytest.raises(ConfigError, match="answer nothing"):
        fewer.remove("tags").remove("fish").remove("detect")


def test_a_model_keeps_what_was_added_when_it_is_saved(model: Model, birds: Path, tmp_path: Path) -> None:
    more = model.add(birds)
    save(more.network, more.record, tmp_path / "more.safetensors")
    loaded = load(tmp_path / "more.safetensors")
    assert loaded.tasks == more.tasks
    assert_same(raw(loaded.network), raw(more.network), *more.tasks)


def test_the_wrong_trunk_is_refused_by_name(birds: Path) -> None:
    torch.manual_seed(9)
    other = Model(create("debug", 2).eval(), RECORD)
    with pytest.raises(WeightsError, match=r"birds.safetensors was taught to the trunk \w{12} of 'debug'") as caught:
        other.add(birds)
    assert trunk_hash(other.network.trunk)[:12] in str(caught.value)


def test_a_name_that_is_taken_is_refused(model: Model, birds: Path) -> None:
    with pytest.raises(ConfigError, match=r"has a task 'birds' already.*model.remove\('birds'\)"):
        model.add(birds).add(birds)


@pytest.mark.parametrize(
    "name",
    [
        "",
        "a.b",
        "a b",
        "1a",
        "_a",
        "-a",
        "../a",
        "a/b",
        "é\n",
        "detect",
        "pose",
        "boxes",
        "path",
        "keys",
        "pop",
        "x" * 65,
    ],
)
def test_no_task_can_be_called(name: str, network: Network) -> None:
    with pytest.raises(ConfigError):
        check_name(network, name, "tags")


def test_names_may_have_letters_of_any_alphabet() -> None:
    assert all(map(is_name, ("birds", "vögel", "鳥", "garden-birds_2")))


def rewritten(path: Path, record: Callable[[dict], object], tensors: Callable[[dict[str, Tensor]], object]) -> None:
    with safe_open(path, framework="pt") as file:
        told = json.loads(file.metadata()[KEY])
    state = load_file(path)
    record(told)
    tensors(state)
    save_file(state, path, metadata={KEY: json.dumps(told)})


def told(**changes: object) -> Callable[[Path], None]:
    return lambda path: rewritten(path, lambda record: record.update(changes), lambda state: None)


def planned(**plan: object) -> Callable[[Path], None]:
    return lambda path: rewritten(path, lambda record: record["plan"].update(plan), lambda state: None)


def with_tensors(change: Callable[[dict[str, Tensor]], object]) -> Callable[[Path], None]:
    return lambda path: rewritten(path, lambda record: None, change)


def infinite(state: dict[str, Tensor]) -> None:
    state["respond.conv.bias"][0] = torch.inf


FAULTS: dict[str, tuple[Callable[[Path], object], str]] = {
    "missing": (Path.unlink, "no knowledge file at"),
    "empty": (lambda path: path.write_bytes(b""), "cannot be read"),
    "a pickle": (lambda path: path.write_bytes(pickle.dumps({"model": 1})), "cannot be read"),
    "cut off": (lambda path: path.write_bytes(path.read_bytes()[:-500]), "cannot be read"),
    "weights": (lambda path: save(create("debug", 2), RECORD, path), "is no knowledge file"),
    "of others": (lambda path: save_file(load_file(path), path), "is no knowledge file"),
    "too large": (lambda path: path.write_bytes(bytes(MOST + 1)), "1,000,001 bytes"),
    "a huge header": (told(licence="x" * MOST), "at most 1,000,000"),
    "no plan": (told(plan=None), "damaged"),
    "no text": (told(name=3), "damaged"),
    "a path for a name": (told(name="../../birds"), "damaged"),
    "classes amiss": (told(classes="birds"), "damaged"),
    "numbers for classes": (told(classes=7), "damaged"),
    "no hash": (told(trunk="abc"), "damaged"),
    "a reserved name": (told(name="boxes"), "cannot be called 'boxes'"),
    "another kind's name": (told(name="pose"), "cannot be called 'pose'"),
    "an unknown kind": (told(task="taggs"), "no task 'taggs'.*did you mean 'tags'"),
    "boxes of another name": (told(task="detect", plan={"classes": ["a"]}), "those of one task"),
    "another kind": (told(task="scene", plan={"classes": ["other", "sky"]}), "does not fit its model"),
    "more tags than tensors": (planned(names=[f"tag {n}" for n in range(4096)]), "other shapes in respond"),
    "too many tags": (planned(names=[f"tag {n}" for n in range(5000)]), "names no tags"),
    "a kind inside the plan": (planned(names=["a"], task="detect"), "other shapes"),
    "knowledge amiss": (planned(knowledge={"alignment": "divide"}), "amiss"),
    "infinite": (with_tensors(infinite), "no numbers"),
    "lacks a tensor": (with_tensors(lambda state: state.pop("respond.conv.bias")), "lacks respond.conv.bias"),
    "one too many": (with_tensors(lambda state: state.update(more=torch.ones(1))), "too many tensors: more"),
}


@pytest.mark.parametrize(("spoil", "message"), FAULTS.values(), ids=FAULTS)
def test_a_file_that_is_unsound_is_refused(
    spoil: Callable[[Path], object], message: str, birds: Path, model: Model
) -> None:
    spoil(birds)
    with pytest.raises(TacitError, match=message) as caught:
        model.add(birds)
    assert isinstance(caught.value, WeightsError | ConfigError)


@pytest.mark.parametrize("text", ["{plan:", "[]", "null", '{"name": "birds"}', "[" * 100_000])
def test_a_record_that_is_none_is_refused(text: str, birds: Path, model: Model) -> None:
    save_file(load_file(birds), birds, metadata={KEY: text})
    with pytest.raises(WeightsError, match="damaged"):
        model.add(birds)


def test_knowledge_that_needs_boxes_is_refused_by_a_network_without(network: Network, birds: Path) -> None:
    told(task="pose", plan={"names": ["nose"], "classes": ["disc"]})(birds)
    tagging = Model(network, RECORD).remove("detect")
    with pytest.raises(ConfigError, match="what 'detect' finds"):
        tagging.add(birds)


def test_knowledge_too_large_for_a_file_is_not_written(
    network: Network, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(knowledge_file, "MOST", 20_000)
    with pytest.raises(WeightsError, match=r"'tags' on the trunk of 'debug' .* [\d,]+ bytes.*at most 20,000"):
        write(untaught(network, "birds"), tmp_path / "birds.safetensors")
    assert not list(tmp_path.iterdir())


def test_knowledge_is_told_from_anything_else(birds: Path, model: Model, tmp_path: Path) -> None:
    save(model.network, RECORD, tmp_path / "weights.safetensors")
    (tmp_path / "note.txt").write_text("birds")
    assert is_knowledge(birds)
    assert not any(
        map(is_knowledge, (tmp_path, tmp_path / "gone", tmp_path / "note.txt", tmp_path / "weights.safetensors"))
    )


def test_joining_leaves_random_numbers_and_the_network_alone(model: Model, birds: Path) -> None:
    state = {name: value.clone() for name, value in model.network.state_dict().items()}
    torch.manual_seed(3)
    first = model.add(birds).network
    torch.manual_seed(4)
    assert_same(raw(first), raw(model.add(birds).network), "birds")
    assert all(torch.equal(value, state[name]) for name, value in model.network.state_dict().items())


def test_a_record_without_plans_gets_that_of_detection(birds: Path, network: Network) -> None:
    alone = Model(network, RECORD).remove("tags")
    plain = Model(alone.network, replace(RECORD, tasks={}))
    assert list(plain.add(birds).record.tasks) == ["detect", "birds"]
