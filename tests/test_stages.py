"""The stages around a forward pass: boxes in pixels of the photograph, whoever else was in the batch."""

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from trained import look_trained

from tacit.errors import ConfigError
from tacit.geometry.views import AS_IT_IS, THREE_VIEWS
from tacit.network import Network
from tacit.stages import SCORING, Stages, Thresholds
from tacit.tasks.detect.head import Detect
from tacit.zoo import create


class WhiteRectangle(Detect):
    """A detector that needs no training: it finds the white rectangle, and is never quite sure (0.9 x 0.8)."""

    def __init__(self) -> None:
        super().__init__((3,), (32,), 1, (((8, 8),),))
        self.sure = nn.Parameter(torch.tensor([0.9, 0.8]))

    def forward(self, pyramid) -> list[Tensor]:
        return [pyramid]

    def decode(self, raw) -> dict[str, Tensor]:
        return {"rows": torch.stack([self._find(image) for image in raw[0]])}

    def _find(self, image: Tensor) -> Tensor:
        y, x = (image.amin(0) > 0.9).nonzero().unbind(1)
        x0, x1, y0, y1 = x.min(), x.max() + 1, y.min(), y.max() + 1
        box = torch.stack([(x0 + x1) / 2, (y0 + y1) / 2, x1 - x0, y1 - y0])
        return torch.cat([box, self.sure])[None]


def rectangle(width: int, height: int, x0: int, y0: int, x1: int, y1: int) -> np.ndarray:
    image = np.full((height, width, 3), 40, np.uint8)
    image[y0:y1, x0:x1] = 255
    return image


@pytest.fixture
def finder() -> Stages:
    return Stages(Network(nn.Identity(), {"detect": WhiteRectangle()}, stride=32), names=("rectangle",), size=128)


@pytest.fixture
def triple() -> Stages:
    network = Network(nn.Identity(), {"detect": WhiteRectangle()}, stride=32)
    return Stages(network, names=("rectangle",), size=128, thresholds=Thresholds(iou=1.0), views=THREE_VIEWS)


@pytest.fixture(scope="module")
def network() -> Network:
    torch.manual_seed(0)
    return look_trained(create("debug", 2))


def noise(height: int, width: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8)


def stages(network: Network, **thresholds: object) -> Stages:
    return Stages(network, ("one", "two"), 96, Thresholds(**{"confidence": 0.0, "max_detections": 20, **thresholds}))


@pytest.mark.parametrize(
    ("width", "height"), [(128, 128), (128, 96), (640, 480), (300, 500), (57, 31), (128, 100), (1000, 40)]
)
def test_value_in_pixels_of_the_photograph(finder: Stages, width: int, height: int) -> None:
    box = [width // 4, height // 4, width // 2, height - height // 8]
    (result,) = finder([rectangle(width, height, *box)])
    assert (result.width, result.height, result.names) == (width, height, ("rectangle",))
    assert result.classes.tolist() == [0]
    assert result.scores.tolist() == pytest.approx([0.72])
    pixel = max(1, max(width, height) / 128)  # of the network's input, in pixels of the photograph
    np.testing.assert_allclose(result.boxes, [box], atol=pixel)


def test_order_of_many_shapes_is_kept(finder: Stages) -> None:
    sizes = [(128, 96), (96, 128), (128, 96), (64, 64), (96, 128)]
    images = [rectangle(w, h, 10 * i, 20, 10 * i + 30, 50) for i, (w, h) in enumerate(sizes)]
    for i, (result, image) in enumerate(zip(finder(images), images, strict=True)):
        assert result.image is image
        np.testing.assert_allclose(result.boxes, [[10 * i, 20, 10 * i + 30, 50]], atol=1)


def test_box_is_clipped_to_the_photograph(finder: Stages) -> None:
    (result,) = finder([np.full((50, 100, 3), 255, np.uint8)])
    np.testing.assert_allclose(result.boxes, [[0, 0, 100, 50]], atol=1e-3)


def test_nothing_in_nothing_out(finder: Stages) -> None:
    assert finder([]) == []


def test_answer_does_not_depend_on_the_others(network: Network) -> None:
    """To the bit where shapes differ: such photographs never share a forward pass."""
    photo, others = noise(60, 90), [noise(90, 60, 1), noise(90, 90, 2), noise(20, 90, 3)]
    (alone,), together = stages(network)([photo]), stages(network)([others[0], photo, *others[1:]])[1]
    assert len(alone) == 20
    np.testing.assert_array_equal(alone.boxes, together.boxes)
    np.testing.assert_array_equal(alone.scores, together.scores)
    np.testing.assert_array_equal(alone.classes, together.classes)


def test_one_forward_pass_a_shape(network: Network) -> None:
    run, shapes = stages(network), []
    hook = network.register_forward_pre_hook(lambda _, inputs: shapes.append(tuple(inputs[0].shape)))
    run([noise(60, 90), noise(90, 60), noise(55, 90), noise(20, 90), noise(64, 96)])
    hook.remove()
    assert sorted(shapes) == [(1, 3, 32, 96), (1, 3, 96, 64), (3, 3, 64, 96)]


def test_preprocess_is_rgb_in_0_1_on_grey(network: Network) -> None:
    run, image = stages(network), np.zeros((48, 96, 3), np.uint8)
    image[...] = 255, 51, 0
    batch = run.preprocess([image], [run.plan(image)])
    assert batch.shape == (1, 3, 64, 96)
    torch.testing.assert_close(batch[0, :, 32, 48], torch.tensor([1.0, 0.2, 0.0]))
    torch.testing.assert_close(batch[0, :, 0, 0], torch.full((3,), 114 / 255))


@pytest.mark.parametrize(("width", "height"), [(128, 128), (640, 480), (300, 500), (57, 31)])
def test_value_three_views_find_the_same(triple: Stages, width: int, height: int) -> None:
    box = [width // 4, height // 4, width // 2, height - height // 8]
    (result,) = triple([rectangle(width, height, *box)])
    assert len(result) == 3
    np.testing.assert_allclose(result.boxes, [box] * 3, atol=3 * max(1, max(width, height) / 128))
    assert list(triple.seconds) == ["preprocess", "forward", "postprocess"]


def test_three_views_are_suppressed_together(triple: Stages) -> None:
    triple.thresholds = Thresholds(iou=0.5)
    (result,) = triple([rectangle(128, 96, 20, 20, 90, 70)])
    assert len(result) == 1


def test_one_view_costs_nothing(network: Network) -> None:
    run, batch = stages(network), torch.rand(1, 3, 64, 64)
    assert run.views == AS_IT_IS
    with torch.inference_mode():
        assert torch.equal(run.look(batch)["detect"]["rows"], network.decode(network(batch))["detect"]["rows"])


def test_thresholds_choose(network: Network) -> None:
    image = noise(96, 96)
    (everything,) = stages(network, max_detections=10_000, iou=1.0)([image])
    middle = float(np.median(everything.scores))
    (confident,) = stages(network, max_detections=10_000, iou=1.0, confidence=middle)([image])
    assert len(confident) == (everything.scores > middle).sum()
    (few,) = stages(network, max_detections=5, iou=1.0)([image])
    np.testing.assert_array_equal(few.boxes, everything.boxes[:5])
    (second,) = stages(network, max_detections=10_000, iou=1.0, classes=(1,))([image])
    assert set(everything.classes) == {0, 1}
    np.testing.assert_array_equal(second.boxes, everything.boxes[everything.classes == 1])
    (apart,) = stages(network, max_detections=10_000, iou=0.1)([image])
    assert 0 < len(apart) < len(everything)


def test_scoring_is_the_reference_s() -> None:
    assert (SCORING.confidence, SCORING.iou, SCORING.max_detections) == (0.001, 0.65, 300)


def test_seconds_add_up(finder: Stages) -> None:
    image = rectangle(64, 64, 10, 10, 30, 30)
    finder([image])
    once = dict(finder.seconds)
    assert list(once) == ["preprocess", "forward", "postprocess"]
    finder([image])
    assert all(finder.seconds[stage] > seconds > 0 for stage, seconds in once.items())


def test_network_is_put_in_evaluation_mode_and_builds_no_graph(network: Network) -> None:
    before = {name: value.clone() for name, value in network.train().state_dict().items()}
    run = stages(network)
    assert not network.training
    run([noise(96, 96)])
    assert all(torch.equal(value, before[name]) for name, value in network.state_dict().items())


@pytest.mark.parametrize("size", [0, 31, 100, -32])
def test_error_size(network: Network, size: int) -> None:
    with pytest.raises(ConfigError, match=f"cannot take {size} pixels. Allowed: multiples of 32"):
        Stages(network, ("one", "two"), size)


@pytest.mark.parametrize(
    "wrong",
    [
        {"confidence": -0.1},
        {"confidence": 1.5},
        {"confidence": float("nan")},
        {"iou": 2.0},
        {"iou": float("inf")},
        {"max_detections": 0},
        {"max_detections": -1},
    ],
)
def test_error_thresholds(wrong: dict) -> None:
    with pytest.raises(ConfigError, match=f"{next(iter(wrong))}="):
        Thresholds(**wrong)
