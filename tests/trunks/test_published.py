"""The published models give the reference's answers: every golden file, in evaluation and in training.

The golden rows are every eighth or fourth of the reference's; sums over whole maps stand in for the others.
"""

import math

import numpy as np
import pytest
import torch
from lessons import detection_loss_of
from published import BIG, FILES, arrays_of, facts_of, filled, golden_images, names_of, rows_of, slow_if
from torch import Tensor

from tacit.network import Network

RAW = 2e-4
TRAINED = ("train", "_train")
LARGER = {
    "yolor-csp": "_b2_320x448",
    "yolor-p6": "_b2_448x640",
    "yolor-s4-dwt": "_b2_320x448",
}  # maps on which the pools differ


@pytest.fixture(scope="module", params=slow_if(FILES, BIG))
def model(request) -> str:
    return request.param


@pytest.fixture(scope="module")
def network(model: str) -> Network:
    return filled(model, facts_of(model)["conv_gain"])


def answers(network: Network, images: Tensor) -> tuple[Tensor, Tensor]:
    with torch.inference_mode():
        outputs = network(images)
        return rows_of(outputs["detect"]), network.decode(outputs)["detect"]["rows"]


def assert_like(ours: Tensor, reference: np.ndarray, *, decoded: bool) -> None:
    """Raw maps to 2e-4, decoded ones to 1e-4 where they are large in proportion."""
    error = np.abs(ours.double().numpy() - reference)
    assert (error <= (1e-4 * np.maximum(1, np.abs(reference)) if decoded else RAW)).all()


def test_value_reference(model: str, network: Network) -> None:
    facts, golden = facts_of(model), arrays_of(model)
    raw, decoded = answers(network, golden_images(facts["input_shape"]))
    assert raw.shape == (1, facts["num_rows"], 85)
    assert_like(raw[0, golden["rows"]], golden["raw"], decoded=False)
    assert_like(decoded[0, golden["rows"]], golden["decoded"], decoded=True)
    # the mean of a whole map, row for row: no error of single rows hides in there
    assert raw.double().mean().item() == pytest.approx(facts["raw_sum"] / raw.numel(), abs=1e-6)
    assert decoded.double().sum().item() == pytest.approx(facts["decoded_sum"], rel=1e-6)


@pytest.mark.parametrize("model", LARGER, indirect=True)
def test_value_reference_on_larger_maps(model: str, network: Network) -> None:
    golden = arrays_of(model, suffix=LARGER[model])
    raw, decoded = answers(network, golden_images(tuple(golden["input_shape"].tolist())))
    assert_like(raw[:, golden["rows"]], golden["raw"], decoded=False)
    assert_like(decoded[:, golden["rows"]], golden["decoded"], decoded=True)


@pytest.mark.parametrize("model", ["yolor-csp", "yolor-p6", "yolor-p6-paper", "yolor-s4-s2d"])
def test_training_reference(model: str) -> None:
    """One step of train mode in float64: loss, the gradient of every parameter, running statistics.

    In float32 the same gradients carry noise of up to 8e-3, which would hide mistakes.
    """
    facts, golden = facts_of(model, *TRAINED), arrays_of(model, *TRAINED)
    network = filled(model, facts["conv_gain"]).train()
    names, values = names_of(model, network), dict(network.named_parameters())
    network.trunk.double()
    network.task("detect").heads.double()  # the anchors stay single
    outputs = network(golden_images(facts["input_shape"], facts["input_key"]).double())
    loss = detection_loss_of(network, outputs, torch.from_numpy(golden["targets"]))
    loss.total.backward()

    parts = [loss.parts[part].item() for part in ("box", "objectness", "classes")]
    assert [*parts, sum(parts)] == pytest.approx(facts["items_float64"], rel=2e-6)
    assert loss.total.item() == pytest.approx(facts["loss_times_batch"][1], rel=2e-6)
    for official, norm in facts["grad_l2_float64"].items():
        assert values[names[official]].grad.norm().item() == pytest.approx(norm, rel=1e-4), official
    state = network.state_dict()
    for key, reference in golden.items():
        kind, _, official = key.partition(":")
        if kind == "grad":
            error = values[names[official]].grad.numpy() - reference
            assert np.linalg.norm(error) <= 1e-4 * np.linalg.norm(reference), official
        elif kind == "bn_after":
            np.testing.assert_allclose(state[names[official]].numpy(), reference, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("model", ["yolor-s4-s2d"])
def test_training_reference_in_single_precision(model: str) -> None:
    """As it is trained: within the noise that the reference states for itself."""
    facts, golden = facts_of(model, *TRAINED), arrays_of(model, *TRAINED)
    network = filled(model, facts["conv_gain"]).train()
    names, values = names_of(model, network), dict(network.named_parameters())
    outputs = network(golden_images(facts["input_shape"], facts["input_key"]))
    loss = detection_loss_of(network, outputs, torch.from_numpy(golden["targets"]))
    loss.total.backward()
    assert loss.total.item() == pytest.approx(facts["loss_times_batch"][1], rel=1e-5)
    for official, noise in facts["grad_rel_err_float32"].items():
        reference = golden[f"grad:{official}"]
        error = np.linalg.norm(values[names[official]].grad.numpy() - reference) / np.linalg.norm(reference)
        assert error <= 4 * noise + 1e-6, official
        assert math.isfinite(error)
