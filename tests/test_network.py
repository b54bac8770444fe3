"""A trunk and its tasks: one forward pass with one meaning."""

import pytest
import torch
from lessons import boxes_lesson, detection_loss_of
from torch import Tensor, nn
from toy import Brightness

from tacit.data.loader import Lesson
from tacit.errors import ConfigError
from tacit.network import Network
from tacit.tasks.detect.head import Detect
from tacit.zoo import create

TARGETS = torch.tensor([[0, 1, 0.5, 0.5, 0.3, 0.4], [1, 0, 0.2, 0.3, 0.2, 0.2], [1, 2, 0.7, 0.6, 0.9, 0.8]])


@pytest.fixture
def network() -> Network:
    torch.manual_seed(0)
    return create("debug", 3)


@pytest.fixture
def images() -> Tensor:
    return torch.rand(2, 3, 64, 96, generator=torch.Generator().manual_seed(0))


@pytest.fixture
def both(network: Network) -> Network:
    tasks = {"brightness": Brightness(16, {}), "detect": network.task("detect")}
    return Network(network.trunk, tasks, stride=32).eval()


@pytest.mark.parametrize("training", [True, False])
def test_shape(network: Network, images: Tensor, training: bool) -> None:
    """The same type in training and in evaluation."""
    outputs = network.train(training)(images)
    assert list(outputs) == ["detect"]
    assert [tuple(level.shape) for level in outputs["detect"]] == [(2, 3, 64 // s, 96 // s, 8) for s in (8, 16, 32)]
    assert network.decode(outputs)["detect"]["rows"].shape == (2, 3 * (96 + 24 + 6), 8)


def test_decode_is_the_task_s(network: Network, images: Tensor) -> None:
    outputs = network.eval()(images)
    assert isinstance(network.task("detect"), Detect)
    assert torch.equal(
        network.decode(outputs)["detect"]["rows"], network.task("detect").decode(outputs["detect"])["rows"]
    )


def test_gradient_reaches_every_parameter(network: Network, images: Tensor) -> None:
    detection_loss_of(network, network(images), TARGETS).total.backward()
    assert not [name for name, parameter in network.named_parameters() if not parameter.grad.abs().sum() > 0]


def test_each_task_learns_from_the_images_that_label_it(both: Network, images: Tensor) -> None:
    outputs = both(images)
    second = TARGETS[TARGETS[:, 0] == 1] * torch.tensor([0.0, 1, 1, 1, 1, 1])
    lessons = {
        "detect": Lesson(torch.tensor([1]), {"boxes": second}),
        "brightness": Lesson(torch.arange(2), {"share": torch.tensor([0.2, 0.8])}),
    }
    losses = both.losses(outputs, lessons)
    alone = both.losses(
        both(images[1:]),
        {**boxes_lesson(second, 1), "brightness": lessons["brightness"]}
        | {"brightness": Lesson(torch.arange(1), {"share": torch.tensor([0.8])})},
    )
    torch.testing.assert_close(losses["detect"].total, alone["detect"].total)
    assert losses["brightness"].total > alone["brightness"].total


def test_no_image_that_labels_a_task(both: Network, images: Tensor) -> None:
    none = torch.zeros(0, dtype=torch.int64)
    lessons = {
        "detect": Lesson(none, {"boxes": torch.zeros(0, 6)}),
        "brightness": Lesson(none, {"share": torch.zeros(0)}),
    }
    assert [loss.total.item() for loss in both.losses(both(images), lessons).values()] == [0.0, 0.0]


def test_only_some_tasks(both: Network, images: Tensor) -> None:
    some = both.only(["brightness"])
    assert list(some(images)) == ["brightness"]
    assert not some.training
    assert torch.equal(some(images)["brightness"][0], both(images)["brightness"][0])
    with pytest.raises(ConfigError, match=r"'pose'.*brightness, detect"):
        both.only(["pose"])


def test_a_task_stands_behind_what_it_needs(network: Network) -> None:
    class OfBoxes(Brightness):
        needs = ("detect",)

    tasks = {"of boxes": OfBoxes(16, {}), "detect": network.task("detect")}
    assert list(Network(network.trunk, tasks, 32).tasks) == ["detect", "of boxes"]
    assert list(Network(network.trunk, tasks, 32).only(["of boxes"]).tasks) == ["detect", "of boxes"]
    with pytest.raises(ConfigError, match="detect"):
        Network(network.trunk, {"of boxes": OfBoxes(16, {})}, 32)


def test_fold_is_for_the_same_tasks(network: Network, images: Tensor) -> None:
    folded = network.fold()
    assert isinstance(folded, Network)
    assert folded.stride == network.stride
    assert not [part for part in folded.modules() if isinstance(part, nn.BatchNorm2d)]
    torch.testing.assert_close(
        folded.decode(folded(images))["detect"]["rows"],
        network.eval().decode(network(images))["detect"]["rows"],
        rtol=1e-4,
        atol=1e-3,
    )
