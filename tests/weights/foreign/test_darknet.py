"""Darknet's weights: the order of the numbers, which model they are, and that none of them is a YOLOR."""

import struct

import numpy as np
import pytest
import torch
from published import arrays_of, facts_of, golden_images, golden_value, rows_of

from tacit.errors import WeightsError
from tacit.weights.files import load
from tacit.weights.foreign.darknet import HEADER, read_darknet
from tacit.weights.foreign.read import read_foreign
from tacit.weights.foreign.recognise import BASELINES, skeleton
from tacit.weights.names import convolutions
from tacit.zoo import MODELS

PARAMETERS = {"yolov4-csp": 52_921_437, "yolov4-csp-x": 99_751_053, "yolov4-p6": 127_585_200, "yolov4-p7": 287_566_300}


def size_of(model, classes=80):
    """Bytes of the file: the parameters, and two more numbers a channel of every norm, without knowledge."""
    state = skeleton(model, classes).state_dict()
    counted = [value for name, value in state.items() if "knowledge" not in name and "num_batches" not in name]
    return HEADER + 4 * sum(value.numel() for value in counted)


def sparse(path, size):
    """A file of that size that takes no room on the disk."""
    with path.open("wb") as file:
        file.write(struct.pack("<3iq", 0, 2, 5, 32))
        file.truncate(size)
    return path


def official_order(model):
    """The entries of the golden state dict in darknet's order."""
    keys = [key for key, _, _ in facts_of(model)["state_dict"]]
    blocks = dict.fromkeys(key.split(".")[1] for key in keys)
    for block in blocks:
        norm = f"module_list.{block}.BatchNorm2d."
        if f"{norm}weight" in keys:
            yield from (f"{norm}{entry}" for entry in ("bias", "weight", "running_mean", "running_var"))
            yield f"module_list.{block}.Conv2d.weight"
        else:
            yield from (f"module_list.{block}.Conv2d.{entry}" for entry in ("bias", "weight"))


def test_golden_outputs(tmp_path):
    facts, golden = facts_of("yolov4-csp"), arrays_of("yolov4-csp")
    shapes = {key: tuple(shape) for key, shape, _ in facts["state_dict"]}
    path = tmp_path / "yolov4-csp.weights"
    with path.open("wb") as file:
        file.write(struct.pack("<3iq", 0, 2, 5, 32_013_312))
        for key in official_order("yolov4-csp"):
            file.write(golden_value(key, shapes[key], facts["conv_gain"]).numpy().astype("<f4").tobytes())
    weights = load(path)
    assert (weights.record.model, len(weights.record.classes)) == ("yolov4-csp", 80)
    with torch.inference_mode():
        rows = rows_of(weights.network(golden_images(facts["input_shape"]))["detect"])[0]
    assert (rows[torch.from_numpy(golden["rows"])] - torch.from_numpy(golden["raw"])).abs().max() <= 2e-4


@pytest.mark.parametrize("classes", [80, 1, 20])
@pytest.mark.parametrize("model", BASELINES)
def test_the_size_tells_the_model(model, classes, tmp_path):
    record, state = read_darknet(sparse(tmp_path / "a.weights", size_of(model, classes)))
    assert (record.model, len(record.classes), record.licence) == (model, classes, "GPL-3.0")
    assert {name: value.shape for name, value in state.items()} == {
        name: value.shape for name, value in skeleton(model, classes).state_dict().items()
    }
    if classes == 80:
        learned = [value for name, value in state.items() if "running" not in name and "num_batches" not in name]
        assert sum(value.numel() for value in learned) == PARAMETERS[model]


def test_every_number_is_used_once(tmp_path):
    path = sparse(tmp_path / "a.weights", size_of("yolov4-csp", 1))
    numbers = np.memmap(path, "<f4", "r+", offset=HEADER)
    numbers[:] = np.arange(len(numbers)) % 2**24
    numbers.flush()
    _, state = read_darknet(path)
    first = f"{convolutions(skeleton('yolov4-csp'))[0]}."
    assert [int(state[f"{first}{entry}"].flatten()[0]) for entry in (
        "bn.bias", "bn.weight", "bn.running_mean", "bn.running_var", "conv.weight"
    )] == [0, 32, 64, 96, 128]  # fmt: skip
    starts = sorted(value.storage_offset() for name, value in state.items() if "num_batches" not in name)
    assert len(set(starts)) == len(starts)
    assert sum(value.numel() for name, value in state.items() if "num_batches" not in name) == len(numbers)


@pytest.mark.parametrize("model", ["yolor-p6", "yolor-w6"])
def test_numbers_of_a_yolor_without_its_knowledge(model, tmp_path):
    assert model in MODELS
    with pytest.raises(WeightsError, match=f"no implicit knowledge.*{model}"):
        read_darknet(sparse(tmp_path / "a.weights", size_of(model)))


def test_a_file_that_is_called_a_yolor(tmp_path):
    with pytest.raises(WeightsError, match=r"yolor_csp.weights: .*no implicit knowledge"):
        read_foreign(sparse(tmp_path / "yolor_csp.weights", size_of("yolov4-csp")))


@pytest.mark.parametrize(
    "size", [0, 3, HEADER, HEADER + 3, 10_000, size_of("yolov4-csp") - 4, size_of("yolov4-csp") + 1]
)
def test_other_sizes(size, tmp_path):
    with pytest.raises(WeightsError, match=r"a.weights: its .* bytes fit no baseline"):
        load(sparse(tmp_path / "a.weights", size))


def test_a_web_page(tmp_path):
    (tmp_path / "a.weights").write_text("<html>Not found</html>")
    with pytest.raises(WeightsError, match="fit no baseline"):
        load(tmp_path / "a.weights")
