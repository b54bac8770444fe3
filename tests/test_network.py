"""A trunk and its tasks: one forward pass with one meaning."""

import pytest
import torch
from torch import Tensor, nn

from tacit.network import Network
from tacit.tasks.detect.head import Detect
from tacit.tasks.task import Task, TaskLoss
from tacit.zoo import create

TARGETS = torch.tensor([[0, 1, 0.5, 0.5, 0.3, 0.4], [1, 0, 0.2, 0.3, 0.2, 0.2], [1, 2, 0.7, 0.6, 0.9, 0.8]])


@pytest.fixture
def network() -> Network:
    torch.manual_seed(0)
    return create("debug", 3)


@pytest.fixture
def images() -> Tensor:
    return torch.rand(2, 3, 64, 96, generator=torch.Generator().manual_seed(0))


class Brightness(Task):
    """A second task: the mean of the finest level."""

    name = "brightness"

    def forward(self, pyramid) -> list[Tensor]:
        return [pyramid[0].mean((1, 2, 3))]

    def decode(self, raw) -> Tensor:
        return raw[0]

    def loss(self, raw, targets) -> TaskLoss:
        return TaskLoss(raw[0].sum(), {"mean": raw[0].detach().mean()})


@pytest.mark.parametrize("training", [True, False])
def test_shape(network: Network, images: Tensor, training: bool) -> None:
    """The same type in training and in evaluation."""
    outputs = network.train(training)(images)
    assert list(outputs) == ["detect"]
    assert [tuple(level.shape) for level in outputs["detect"]] == [(2, 3, 64 // s, 96 // s, 8) for s in (8, 16, 32)]
    assert network.decode(outputs).shape == (2, 3 * (96 + 24 + 6), 8)


def test_decode_is_the_task_s(network: Network, images: Tensor) -> None:
    outputs = network.eval()(images)
    assert isinstance(network.task("detect"), Detect)
    assert torch.equal(network.decode(outputs), network.task("detect").decode(outputs["detect"]))


def test_gradient_reaches_every_parameter(network: Network, images: Tensor) -> None:
    network.loss(network(images), TARGETS).total.backward()
    assert not [name for name, parameter in network.named_parameters() if not parameter.grad.abs().sum() > 0]


def test_losses_of_all_tasks_are_summed(network: Network, images: Tensor) -> None:
    both = Network(network.trunk, [network.task("detect"), Brightness()], stride=32).eval()
    outputs = both(images)
    loss = both.loss(outputs, TARGETS)
    assert list(loss.parts) == ["detect/box", "detect/objectness", "detect/classes", "brightness/mean"]
    boxes = network.task("detect").loss(outputs["detect"], TARGETS).total
    torch.testing.assert_close(loss.total, boxes + outputs["brightness"][0].sum())


def test_fold_is_for_the_same_tasks(network: Network, images: Tensor) -> None:
    folded = network.fold()
    assert isinstance(folded, Network)
    assert folded.stride == network.stride
    assert not [part for part in folded.modules() if isinstance(part, nn.BatchNorm2d)]
    torch.testing.assert_close(
        folded.decode(folded(images)), network.eval().decode(network(images)), rtol=1e-4, atol=1e-3
    )
