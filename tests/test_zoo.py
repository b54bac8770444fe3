"""Every model by name: it fits its budget or its published numbers; other names are told what is near."""

import math

import pytest
import torch
from published import PUBLISHED, on_meta
from torch import nn

from tacit.errors import ConfigError
from tacit.nn.knowledge import Knowledge
from tacit.zoo import MODELS, create

OURS = ("nano", "debug")
every_published_model = pytest.mark.parametrize("model", PUBLISHED)


def parameters(module: nn.Module) -> int:
    return sum(parameter.numel() for parameter in module.parameters())


def flops(network: nn.Module, side: int) -> int:
    """Two for every multiplication and addition of the convolutions."""
    found = []

    def count(conv: nn.Conv2d, _: object, output: torch.Tensor) -> None:
        found.append(2 * output[0].numel() * conv.weight[0].numel())

    for part in network.modules():
        if isinstance(part, nn.Conv2d):
            part.register_forward_hook(count)
    with torch.inference_mode():
        network.eval()(torch.zeros(1, 3, side, side, device=next(network.parameters()).device))
    return sum(found)


def test_the_count_of_flops() -> None:
    assert flops(nn.Sequential(nn.Conv2d(3, 8, 3, 2, padding=1, groups=1)), 64) == 2 * 8 * 32 * 32 * 3 * 9


def test_the_zoo_holds_these_models() -> None:
    assert set(MODELS) == {*OURS, *PUBLISHED}


def test_nano_keeps_to_its_budget() -> None:
    network = on_meta("nano")
    assert parameters(network) <= 4_000_000
    assert flops(network, 416) <= 4e9
    # and what its docstring tells
    assert parameters(network) / 1e6 == pytest.approx(2.3, abs=0.05)
    assert flops(network, 416) / 1e9 == pytest.approx(1.8, abs=0.05)


def test_debug_is_tiny() -> None:
    assert parameters(create("debug", 80)) < 100_000


@every_published_model
def test_value_published_numbers(model: str) -> None:
    expected, gflops, side, convolutions, norms, tensors, values, stride, anchors = PUBLISHED[model]
    network = on_meta(model)
    known = [part for part in network.modules() if isinstance(part, Knowledge)]
    assert parameters(network) == expected
    assert sum(isinstance(part, nn.Conv2d) for part in network.modules()) == convolutions
    assert sum(isinstance(part, nn.BatchNorm2d) for part in network.modules()) == norms
    assert (len(known), sum(map(parameters, known))) == (tensors, values)
    assert (network.stride, network.trunk.strides[0], network.trunk.strides[-1]) == (stride, 8, stride)
    assert network.task("detect").anchors.shape == (int(math.log2(stride)) - 2, anchors, 2)
    assert flops(network, side) / 1e9 == pytest.approx(gflops, abs=0.006)


@every_published_model
def test_docstring_tells_the_published_numbers(model: str) -> None:
    told = MODELS[model].__doc__ or ""
    if model != "yolor-s4-s2d":  # "the same"
        assert f"{PUBLISHED[model][0]:,} parameters, {PUBLISHED[model][1]:.2f} GFLOPs" in told


@every_published_model
def test_shape_of_own_classes(model: str) -> None:
    """Nothing else is to be told; the knowledge follows by itself."""
    classes = 20
    network, anchors = on_meta(model, classes), PUBLISHED[model][-1]
    outputs = network(torch.zeros(2, 3, 128, 256, device="meta"))["detect"]
    expected = [(2, anchors, 128 // s, 256 // s, 5 + classes) for s in network.trunk.strides]
    assert [tuple(level.shape) for level in outputs] == expected
    known = sum(parameters(part) for part in network.modules() if isinstance(part, Knowledge))
    assert known == (0 if "v4" in model else sum(width + 3 * (5 + classes) for width in network.trunk.channels))


@pytest.mark.parametrize("model", OURS)
def test_knowledge_stands_around_every_detection_convolution(model: str) -> None:
    """As many values as there are channels on each level before it, and 3 x 85 behind it."""
    network = create(model, 80)
    count = sum(parameters(part) for part in network.modules() if isinstance(part, Knowledge))
    assert count == sum(channels + 255 for channels in network.trunk.channels)


@pytest.mark.parametrize("model", OURS)
@pytest.mark.parametrize("classes", [1, 5])
def test_shape(model: str, classes: int) -> None:
    network = create(model, classes).eval()
    rows = 3 * sum((64 // s) * (32 // s) for s in (8, 16, 32))
    with torch.inference_mode():
        assert network.decode(network(torch.zeros(1, 3, 64, 32)))["detect"]["rows"].shape == (1, rows, 5 + classes)


@pytest.mark.parametrize("model", [*OURS, "yolor-s4-dwt"])
def test_starts_without_many_objects(model: str) -> None:
    """The biases tell of about 8 objects in 640 x 640 pixels, which early training depends on."""
    torch.manual_seed(0)
    network = create(model, 80)
    outputs = network(torch.rand(2, 3, 128, 128))["detect"]
    for level, stride in zip(outputs, (8, 16, 32), strict=True):
        prior = math.log(8 / (640 / stride) ** 2)
        assert level[..., 4].mean().item() == pytest.approx(prior, abs=1.0)


def test_baselines_start_with_the_prior_too() -> None:
    """The official code fails at this for networks without knowledge."""
    torch.manual_seed(0)
    network = create("yolov4-csp", 80)
    for head, stride in zip(network.task("detect").heads, (8, 16, 32), strict=True):
        bias = head.get_submodule("conv").bias.detach().view(3, 85)
        assert bias[:, 4].mean().item() == pytest.approx(math.log(8 / (640 / stride) ** 2), abs=0.1)
        assert bias[:, 5:].mean().item() == pytest.approx(math.log(0.6 / 79.01), abs=0.1)


def test_same_seed_same_network() -> None:
    states = []
    for seed in (0, 0, 1):
        torch.manual_seed(seed)
        states.append(torch.cat([value.flatten() for value in create("debug", 2).parameters()]))
    assert torch.equal(states[0], states[1])
    assert not torch.equal(states[0], states[2])


@pytest.mark.parametrize(
    ("model", "classes", "told"),
    [
        ("nanno", 1, "did you mean 'nano'"),
        ("Debug", 1, "did you mean 'debug'"),
        ("yolor_p6", 1, "did you mean 'yolor-p6'"),
        ("yolo-9000", 1, "nano, debug"),
        ("", 1, "no model called ''"),
        ("nano", 0, "cannot have 0 classes"),
        ("yolor-csp", -3, "cannot have -3 classes"),
    ],
)
def test_error(model: str, classes: int, told: str) -> None:
    with pytest.raises(ConfigError, match=told):
        create(model, classes)
