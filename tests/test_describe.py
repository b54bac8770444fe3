"""A network in figures: those of the reference, for every published model, and nothing is touched on the way."""

import pytest
import torch
from torch import Tensor, nn

from tacit.describe import Layer, blank, describe, kind_of, rehearse
from tacit.errors import ConfigError
from tacit.network import Network
from tacit.nn.uses import Uses
from tacit.tasks.detect.anchors import ANCHORS_640
from tacit.tasks.detect.head import Detect
from tacit.weights.published import PUBLISHED, Counted
from tacit.zoo import MODELS, create

FIVE, SIX, SEVEN = (8, 16, 32), (8, 16, 32, 64), (8, 16, 32, 64, 128)
REFERENCE = [  # official_models, section 1: parameters, knowledge, GFLOPs at the native size, strides; and our own
    ("nano", 416, 2_316_026, 1_213, 1.84, FIVE),
    ("yolor-csp", 640, 52_923_994, 2_557, 120.24, FIVE),
    ("yolor-csp-x", 640, 99_754_058, 3_005, 221.88, FIVE),
    ("yolor-p6", 1280, 37_265_016, 2_812, 325.12, SIX),
    ("yolor-w6", 1280, 79_873_400, 3_580, 452.65, SIX),
    ("yolor-p6-paper", 1280, 37_270_264, 2_812, 325.12, SIX),
    ("yolor-w6-paper", 1280, 79_880_952, 3_580, 452.65, SIX),
    ("yolor-e6", 1280, 115_909_400, 4_220, 682.12, SIX),
    ("yolor-d6", 1280, 151_782_680, 4_220, 934.43, SIX),
    ("yolor-s4-dwt", 640, 9_216_634, 1_661, 16.04, FIVE),
    ("yolor-s4-s2d", 640, 9_216_634, 1_661, 16.04, FIVE),
    ("yolov4-csp", 640, 52_921_437, 0, 120.24, FIVE),
    ("yolov4-csp-x", 640, 99_751_053, 0, 221.88, FIVE),
    ("yolov4-p6", 1280, 127_585_200, 0, 717.02, SIX),
    ("yolov4-p7", 1536, 287_566_300, 0, 1636.70, SEVEN),
]


@pytest.fixture(scope="module")
def debug() -> Network:
    return create("debug", 3)


@pytest.mark.parametrize(("model", "size", "parameters", "knowledge", "gflops", "strides"), REFERENCE)
def test_the_figures_are_those_of_the_reference(
    model: str, size: int, parameters: int, knowledge: int, gflops: float, strides: tuple[int, ...]
) -> None:
    figures = describe(blank(model), size)
    assert (figures.parameters, figures.knowledge, figures.strides) == (parameters, knowledge, strides)
    assert round(figures.gflops, 2) == gflops
    assert PUBLISHED[model].input_size == figures.size == size
    assert PUBLISHED[model].counted == Counted(parameters, knowledge, gflops, strides[-1])
    assert len(figures.anchors) == len(strides)
    assert sum(layer.parameters for layer in figures.layers) == parameters
    assert sum(layer.flops for layer in figures.layers) == figures.flops


def test_every_model_of_the_zoo_is_in_the_table() -> None:
    assert {row[0] for row in REFERENCE} | {"debug"} == set(MODELS)
    assert {row[0] for row in REFERENCE} == {name for name, each in PUBLISHED.items() if each.counted}


def test_the_layers_are_those_of_a_real_forward_pass(debug: Network) -> None:
    seen: dict[str, tuple[int, ...]] = {}
    hooks = [
        part.register_forward_hook(lambda _, __, output, name=name: seen.update({name: tuple(output.shape[1:])}))
        for name, part in debug.named_modules()
        if isinstance(part, nn.Conv2d | nn.MaxPool2d)
    ]
    with torch.inference_mode():
        debug.eval()(torch.zeros(1, 3, 96, 96))
    for hook in hooks:
        hook.remove()
    found = {layer.name: layer.shape for layer in describe(debug, 96).layers}
    units = {name if "heads" in name else name.removesuffix(".conv"): shape for name, shape in seen.items()}
    assert len(units) > 60
    assert units.items() <= found.items()


def test_work_is_two_for_every_multiplication_and_addition(debug: Network) -> None:
    layers = {layer.name: layer for layer in describe(debug, 64).layers}
    conv, weight = layers["trunk.stages.1.0"], debug.get_submodule("trunk.stages.1.0.conv").weight
    assert conv == Layer(
        name="trunk.stages.1.0",
        kind="conv 3x3 /2, batch norm, SiLU",
        shape=(16, 8, 8),
        parameters=weight.numel() + 2 * 16,
        flops=2 * 16 * 8 * 8 * 8 * 9,
    )
    knowledge = layers["tasks.detect.heads.0.add"]
    assert (knowledge.kind, knowledge.parameters, knowledge.flops) == ("add knowledge", 16, 0)


@pytest.mark.parametrize("training", [False, True])
def test_the_network_stays_as_it_is(training: bool) -> None:
    network = create("debug", 3).train(training)
    before = {name: (id(value), value.clone()) for name, value in network.state_dict(keep_vars=True).items()}
    describe(network, 32)
    after = network.state_dict(keep_vars=True)
    assert all(id(after[name]) == place and torch.equal(after[name], value) for name, (place, value) in before.items())
    assert network.training is training
    assert not any(part._forward_hooks for part in network.modules())


def test_a_failing_pass_leaves_no_hooks(debug: Network, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> Tensor:
        raise RuntimeError("broken")

    monkeypatch.setattr(debug.trunk, "forward", fail)
    with pytest.raises(RuntimeError, match="broken"):
        describe(debug, 64)
    assert not any(part._forward_hooks for part in debug.modules())


def test_a_folded_network_has_no_knowledge_and_no_batch_norm(debug: Network) -> None:
    plain, folded = describe(debug, 64), describe(debug.fold(), 64)
    assert folded.knowledge == 0 < plain.knowledge
    assert folded.flops == plain.flops
    kinds = {layer.kind for layer in folded.layers}
    assert not [kind for kind in kinds if "norm" in kind or "knowledge" in kind]


def test_blank_and_real_networks_are_described_alike(debug: Network) -> None:
    assert describe(blank("debug", 3), 64) == describe(debug, 64)
    assert describe(debug, 64).anchors == ANCHORS_640


def test_the_anchors_are_those_in_use() -> None:
    network = create("debug", 3)
    network.task("detect").anchors += 1.0
    assert describe(network, 64).anchors[0] == ((13, 17), (20, 37), (41, 29))


def test_a_larger_picture_takes_more_in_proportion(debug: Network) -> None:
    assert describe(debug, 128).flops == 4 * describe(debug, 64).flops


@pytest.mark.parametrize("size", [0, -32, 33, 100])
def test_sizes_that_do_not_fit_are_told(size: int, debug: Network) -> None:
    with pytest.raises(ConfigError, match=rf"the size is {size} pixels. Allowed: multiples of 32"):
        rehearse(debug, size)


def test_kinds_in_words() -> None:
    assert kind_of(nn.Conv2d(3, 8, 1)) == "conv 1x1"
    assert kind_of(nn.Conv2d(3, 8, 3, 2)) == "conv 3x3 /2"
    joins = {layer.kind for layer in describe(blank("yolor-p6-paper"), 64).layers if layer.name.endswith("join")}
    assert joins == {"concat, batch norm, SiLU"}


def test_knowledge_for_every_anchor_is_one_layer_and_no_more_work(debug: Network) -> None:
    plain = describe(debug, 64)
    clustered = create("debug", 3)
    clustered.tasks["detect"] = Detect(debug.trunk.channels, debug.trunk.strides, 3, uses=Uses(clusters=True))
    told = describe(clustered, 64)
    assert told.flops == plain.flops
    assert told.knowledge == plain.knowledge + 2 * sum(debug.trunk.channels)  # three anchors, and each its own z
    assert [layer.kind for layer in told.layers[-2:]] == ["conv 1x1", "multiply knowledge"]
