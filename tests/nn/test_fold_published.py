"""Every published model folds: the same answers, and nothing learned left but convolutions and scales."""

from dataclasses import replace

import pytest
import torch
from published import PUBLISHED, golden_value, slow_if, untouched
from torch import nn
from trained import look_trained

from tacit.network import Network
from tacit.nn.blocks import CSP, CSP2, SPPCSP
from tacit.nn.fold import fold
from tacit.nn.join import ScaleShift
from tacit.nn.knowledge import Add, Combine, Knowledge, MatrixFactorisation, Multiply, NeuralNetwork, Vector
from tacit.nn.style import CONFIGURED, PAPER
from tacit.zoo import create

GAINS = {
    "yolor-csp": 5.42, "yolor-csp-x": 4.73, "yolor-p6": 4.99, "yolor-w6": 4.99,
    "yolor-p6-paper": 5.25, "yolor-w6-paper": 5.25, "yolor-e6": 5.38, "yolor-d6": 3.96,
    "yolor-s4-dwt": 5.94, "yolor-s4-s2d": 5.60,
    "yolov4-csp": 5.33, "yolov4-csp-x": 4.64, "yolov4-p6": 3.19, "yolov4-p7": 3.37,
}  # fmt: skip  # of the reference's fill: what an image holds survives, and nothing explodes
QUICK = ("yolor-s4-dwt", "yolor-s4-s2d", "yolor-p6-paper", "yolor-p6")


@torch.no_grad()
def lively(model: str) -> Network:
    """A model filled as the golden ones are, but from our own names."""
    with untouched():
        network = create(model, 80)
    for name, value in network.state_dict().items():
        official = f"{name.removesuffix('z')}implicit" if name.endswith(".z") else name
        value.copy_(golden_value(official, tuple(value.shape), GAINS[model]))
    return network.eval()


@pytest.mark.parametrize("model", slow_if(PUBLISHED, set(PUBLISHED) - set(QUICK)))
def test_value_of_every_model(model: str) -> None:
    network = lively(model)
    images = torch.rand(1, 3, 128, 128, generator=torch.Generator().manual_seed(0))
    with torch.inference_mode():
        plain = network(images)["detect"]
        folded = network.fold()
        del network
        for ours, theirs in zip(folded(images)["detect"], plain, strict=True):
            assert theirs.isfinite().all()
            assert theirs.std() > 0.1
            torch.testing.assert_close(ours, theirs, rtol=1e-5, atol=1e-4)  # some values are near 50
    assert not [part for part in folded.modules() if isinstance(part, nn.BatchNorm2d | Knowledge | Combine)]
    convolutions = sum(isinstance(part, nn.Conv2d) for part in folded.modules())
    assert convolutions == PUBLISHED[model][3]


@pytest.mark.parametrize(
    ("block", "kept"),
    [
        (CSP(6, 8, 2, style=PAPER), 1),
        (CSP(6, 8, 2, tail=True, style=PAPER), 0),
        (CSP2(6, 8, 2, style=PAPER), 1),
        (SPPCSP(6, 8, 2, style=PAPER), 1),
        (CSP(6, 8, 2, tail=True, style=CONFIGURED), 0),
        (SPPCSP(6, 8, 1, style=replace(PAPER, joint=False)), 0),
    ],
)
def test_joint_norm_goes_to_the_ends_of_its_branches(block: nn.Module, kept: int) -> None:
    """Into a convolution that ends one; else what is left of it is a scale and a shift."""
    look_trained(block.double())
    features = torch.randn(2, 6, 7, 9, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    folded = fold(block)
    torch.testing.assert_close(folded(features), block(features), rtol=1e-10, atol=1e-10)
    assert sum(isinstance(part, ScaleShift) for part in folded.modules()) == kept
    assert isinstance(block.join.norm, nn.BatchNorm2d | nn.Identity)
    assert not [part for part in folded.modules() if isinstance(part, nn.BatchNorm2d)]


def test_folding_twice_changes_nothing() -> None:
    once = fold(look_trained(CSP(6, 8, 2, style=PAPER)))
    features = torch.randn(1, 6, 4, 4, generator=torch.Generator().manual_seed(0))
    assert torch.equal(fold(once)(features), once(features))


def test_precision_of_what_is_left_is_kept() -> None:
    folded = fold(look_trained(CSP(6, 8, 1, style=PAPER)).bfloat16())
    assert {value.dtype for value in folded.state_dict().values()} == {torch.bfloat16}


@pytest.mark.parametrize("modelling", [Vector, NeuralNetwork, MatrixFactorisation])
@pytest.mark.parametrize("joint", [False, True])
def test_value_of_every_modelling_in_a_whole_network(modelling: type[Knowledge], joint: bool) -> None:
    torch.manual_seed(0)
    network = create("debug", 3) if not joint else lively("yolor-s4-s2d")
    for head in network.task("detect").heads:
        head.add = Add(head.conv.in_channels, modelling)
        head.multiply = Multiply(head.conv.out_channels, modelling)
    if not joint:
        look_trained(network)
    images = torch.rand(1, 3, 64, 64, generator=torch.Generator().manual_seed(0))
    with torch.inference_mode():
        for ours, theirs in zip(network.fold()(images)["detect"], network.eval()(images)["detect"], strict=True):
            torch.testing.assert_close(ours, theirs, rtol=1e-5, atol=1e-4)  # some values are near 50
