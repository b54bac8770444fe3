"""Which model it is, from keys and shapes alone: all tensors here are without numbers."""

import math

import pytest
import torch
from official_files import large, shapes_of, small
from published import FILES, facts_of

from tacit import zoo
from tacit.errors import WeightsError
from tacit.tasks.detect.anchors import ANCHORS_640, ANCHORS_1280
from tacit.weights.foreign.checkpoint import Checkpoint, checkpoint
from tacit.weights.foreign.class_names import COCO
from tacit.weights.foreign.pickled import Inert
from tacit.weights.foreign.recognise import BASELINES, CFG_LINE, recognise, skeleton
from tacit.weights.names import convolutions
from tacit.weights.structure import network_of

LARGE = {"stages": zoo.P6.stages}
E6 = {"stages": zoo.E6.stages, "stem": 80, "down": "DownC"}
D6 = {"stages": zoo.D6.stages, "stem": 80, "down": "DownC"}


def on_meta(shapes):
    return {key: torch.empty(shape, device="meta") for key, shape in shapes.items()}


def with_anchors(state, anchors):
    """Real numbers for the buffer of the anchors."""
    key = next(key for key in state if key.endswith("anchor_grid"))
    numbers = torch.tensor(anchors, dtype=torch.float16)
    return {**state, key: numbers[:, None, :, None, None]}


def paper(description, anchors, classes=80):
    return Checkpoint(with_anchors(on_meta(shapes_of(description, classes)), anchors), description)


def golden(model):
    return {key: torch.empty(shape, device="meta") for key, shape, _ in facts_of(model)["state_dict"]}


def cfg_keys(model, classes=80):
    """A state dict in the manner of the cfg line, its blocks numbered in the order of the configuration file."""
    network = skeleton(model, classes)
    state, index = {}, 0
    for operator in ("add", "multiply"):
        for head in network.task("detect").heads:
            if hasattr(head, operator):
                z = getattr(head, operator).knowledge.z
                state[f"module_list.{900 + index}.implicit"] = z
                index += 1
    for index, name in enumerate(convolutions(network)):
        for part, official in (("conv", "Conv2d"), ("bn", "BatchNorm2d")):
            block = getattr(network.get_submodule(name), part, None)
            entries = {} if block is None else block.state_dict()
            state |= {f"module_list.{2 * index}.{official}.{entry}": value for entry, value in entries.items()}
    return state


@pytest.mark.parametrize("model", [model for model in FILES if FILES[model].startswith("main")])
def test_official_keys_of_the_cfg_line(model):
    record, state = recognise(Checkpoint(golden(model)))
    assert (record.model, record.classes, record.licence) == (model, COCO, "GPL-3.0")
    assert {name: value.shape for name, value in state.items()} == {
        name: value.shape for name, value in skeleton(model).state_dict().items()
    }


@pytest.mark.parametrize("classes", [80, 1, 20])
@pytest.mark.parametrize("model", [*CFG_LINE, *BASELINES])
def test_cfg_line(model, classes):
    record, _ = recognise(Checkpoint(cfg_keys(model, classes)))
    assert (record.model, len(record.classes)) == (model, classes)
    assert record.classes[0] == ("person" if classes == 80 else "class 0")
    assert record.input_size == (1536 if "p7" in model else 640 if "csp" in model else 1280)


@pytest.mark.parametrize("model", [model for model in FILES if FILES[model].startswith("paper")])
def test_a_state_dict_of_the_paper_line_without_its_module(model):
    anchors = ANCHORS_640 if "s4" in model else ANCHORS_1280
    record, _ = recognise(Checkpoint(with_anchors(golden(model), anchors)))
    assert record.model == model


@pytest.mark.parametrize(
    ("description", "model"),
    [
        (small(), "yolor-s4-dwt"),
        (small(stem="ReOrg"), "yolor-s4-s2d"),
        (large(**LARGE), "yolor-p6-paper"),
        (large(stages=zoo.W6.stages), "yolor-w6-paper"),
        (large(**E6), "yolor-e6"),
        (large(**D6), "yolor-d6"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
@pytest.mark.parametrize("classes", [80, 3])
def test_paper_line(description, model, classes):
    anchors = ANCHORS_640 if "s4" in model else ANCHORS_1280
    record, _ = recognise(paper(description, anchors, classes))
    assert (record.model, len(record.classes), record.structure) == (model, classes, {})


def test_wavelets_that_never_were():
    """Without its wavelet package the official code reorganised instead, and said nothing."""
    state = with_anchors(on_meta(shapes_of(small(stem="ReOrg"))), ANCHORS_640)
    assert recognise(Checkpoint(state, small(stem="DWT")))[0].model == "yolor-s4-s2d"


def test_an_unpublished_configuration_is_rebuilt():
    description = small(stems=2, stages=((64, 3), (256, 9), (512, 9)))
    record, state = recognise(paper(description, ANCHORS_640, classes=2))
    assert (record.model, record.input_size) == ("pyramid", 640)
    with torch.device("meta"):
        network = network_of(record)
    assert network.trunk.plan.reorganised == 2
    assert {name: value.shape for name, value in state.items()} == {
        name: value.shape for name, value in network.state_dict().items()
    }


def test_other_anchors_are_kept():
    anchors = tuple(tuple((w + 1, h) for w, h in level) for level in ANCHORS_640)
    record, _ = recognise(paper(small(), anchors))
    assert record.model == "pyramid"
    assert torch.equal(network_of(record).task("detect").anchors, torch.tensor(anchors, dtype=torch.float32))


def test_class_names_of_the_file():
    found = paper(small(), ANCHORS_640, classes=2)
    for names, right in ((("cat", "dog"), ("cat", "dog")), (("cat",), None), (("cat", "cat"), None), (("", "a"), None)):
        record, _ = recognise(Checkpoint(found.state, found.description, names))
        assert record.classes == (right or ("class 0", "class 1"))


# what does not fit


def without(key):
    return lambda state: state.pop(key)


def with_shape(key, *shape):
    return lambda state: state.update({key: torch.empty(shape, device="meta")})


FIRST = "module_list.0.Conv2d.weight"
UNFIT = [
    ("nothing known", lambda state: (state.clear(), state.update(on_meta({"backbone.0.weight": (3,)}))), "no line"),
    ("a weight missing", without(FIRST), "most like 'yolor-csp'.*lacks trunk.stem.0.conv.weight .1 in all"),
    ("a norm missing", without("module_list.5.BatchNorm2d.running_mean"), "lacks trunk.*running_mean .1 in all"),
    ("a block missing", lambda state: [state.pop(key) for key in list(state) if ".5." in key], "114 blocks where 115"),
    ("a block more", with_shape("module_list.999.Conv2d.weight", 9, 9, 1, 1), "116 blocks where 115 fit"),
    ("an entry more", with_shape("module_list.0.Conv2d.more", 9), "'module_list.0.Conv2d.more'.*no place"),
    ("another shape", with_shape(FIRST, 32, 3, 5, 5), f"other shapes in {FIRST} .1 in all"),
    ("knowledge missing", without("module_list.164.implicit"), "5 blocks where 6 fit"),
    ("another detection", with_shape("module_list.173.Conv2d.bias", 254), "254 outputs"),
    ("no classes", with_shape("module_list.173.Conv2d.bias", 15), "15 outputs"),
    ("a number for a bias", with_shape("module_list.173.Conv2d.bias"), "no detection|other shapes"),
    ("one weight alone", lambda state: [state.pop(k) for k in list(state) if k != FIRST], "shapes of no published"),
    ("a strange key", with_shape("optimizer.lr", 1), "'optimizer.lr'.*no place"),
]  # fmt: skip


@pytest.mark.parametrize(("spoil", "told"), [row[1:] for row in UNFIT], ids=[row[0] for row in UNFIT])
def test_error(spoil, told):
    state = golden("yolor-csp")
    spoil(state)
    with pytest.raises(WeightsError, match=told):
        recognise(Checkpoint(state))


UNFIT_PAPER = [
    ("anchors of other levels", {"anchors": ANCHORS_1280}, "anchors do not fit 3 levels"),
    ("anchors between pixels", {"anchors": [[[1.5, 2.0]] * 3] * 3}, "no whole pixels"),
    ("anchors without end", {"anchors": [[[math.inf, 2.0]] * 3] * 3}, "no whole pixels"),
    ("anchors of no size", {"anchors": [[[0.0, 2.0]] * 3] * 3}, "amiss"),
    ("another number of anchors", {"anchors": [[[8.0, 2.0]] * 2] * 3}, "255 outputs"),
]


@pytest.mark.parametrize(("changes", "told"), [row[1:] for row in UNFIT_PAPER], ids=[row[0] for row in UNFIT_PAPER])
def test_error_of_the_paper_line(changes, told):
    with pytest.raises(WeightsError, match=told):
        recognise(paper(small(), **changes))


def test_weights_that_are_not_those_of_the_description():
    found = paper(small(), ANCHORS_640)
    with pytest.raises(WeightsError, match="most like 'pyramid', but"):
        recognise(Checkpoint(found.state, small(stages=((256, 9), (512, 9), (1024, 9)))))


# the network in a checkpoint


def module(**state):
    return Inert("models.yolo.Model", (), state)


def test_the_average_is_preferred():
    one, two = torch.zeros(1), torch.ones(1)
    assert checkpoint({"model": {"a": one}, "ema": {"a": two}}).state["a"] is two
    assert checkpoint({"model": {"a": one}, "ema": None}).state["a"] is one
    assert checkpoint({"a": one}).state["a"] is one


def test_several_devices_leave_no_trace():
    assert list(checkpoint({"module.model.0.a": torch.ones(1), "module.b": torch.ones(1)}).state) == ["model.0.a", "b"]


def test_modules_are_walked_as_torch_does():
    leaf = module(_parameters={"weight": torch.ones(1), "bias": None}, _buffers={"mean": torch.ones(1)}, _modules={})
    found = checkpoint({"model": module(_modules={"0": leaf, "1": None}, names=["a"], yaml={"nc": 1})})
    assert sorted(found.state) == ["0.mean", "0.weight"]
    assert (found.names, found.description) == (("a",), {"nc": 1})


def endless():
    loop = module(_modules={})
    loop.state["_modules"]["again"] = loop
    return loop


NO_NETWORK = [
    ("nothing", None, "only NoneType"),
    ("an empty dictionary", {}, "no network in it"),
    ("numbers", {"epoch": 3, "best": 0.5}, "only epoch, best"),
    ("a stripped network", {"model": None, "epoch": 3}, "only model, epoch"),
    ("a list", [torch.ones(1)], "only list"),
    ("a network with text in it", {"model": {"a": torch.ones(1), "b": "text"}}, "'b' of its network is a str"),
    ("numbered tensors", {"model": {1: torch.ones(1)}}, "1 of its network"),
    ("a module without weights", {"model": module()}, "models.yolo.Model, has no weights"),
    ("modules without end", {"model": endless()}, "no end"),
    ("a module of strange parts", {"model": module(_modules=3, _parameters="a")}, "no weights"),
]  # fmt: skip


@pytest.mark.parametrize(("saved", "told"), [row[1:] for row in NO_NETWORK], ids=[row[0] for row in NO_NETWORK])
def test_no_network(saved, told):
    with pytest.raises(WeightsError, match=told):
        checkpoint(saved)
