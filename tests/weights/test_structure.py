"""Networks without a name: their numbers go through a file and come back, and impossible ones are refused."""

import json
from dataclasses import replace

import pytest
import torch

from tacit import zoo
from tacit.errors import WeightsError
from tacit.nn.attention import Transformer
from tacit.nn.blocks import ReOrg
from tacit.tasks.detect.anchors import ANCHORS_640, ANCHORS_1280
from tacit.weights import Record, load, save
from tacit.weights.structure import FAMILY, from_json, network_of, to_json
from tacit.zoo import pyramid

TINY = replace(zoo.S4_DWT, stages=((16, 1), (16, 1), (16, 1)))
PLANS = {
    "s4": (zoo.S4_DWT, ANCHORS_640),
    "reorganised": (replace(TINY, reorganise=ReOrg, reorganised=1), ANCHORS_640),
    "d6": (zoo.D6, ANCHORS_1280),
    "transformer": (replace(TINY, mixer=Transformer), ANCHORS_640),
    "residual": (replace(TINY, reorganised=0, stem=8, down_first=True, residual_first=True), ANCHORS_640),
}


def record_of(plan, sizes, **changes):
    numbers = {**json.loads(json.dumps(to_json(plan, sizes))), **changes}
    return Record(model=FAMILY, structure=numbers, classes=("a", "b"), input_size=640)


@pytest.mark.parametrize(("plan", "anchors"), PLANS.values(), ids=PLANS)
def test_there_and_back(plan, anchors):
    assert from_json(record_of(plan, anchors).structure) == (plan, anchors)


def test_a_file_with_a_network_of_its_own(tmp_path):
    torch.manual_seed(0)
    network = pyramid(2, TINY, ANCHORS_640).eval()
    save(network, record_of(TINY, ANCHORS_640), tmp_path / "a.safetensors")
    loaded = load(tmp_path / "a.safetensors")
    images = torch.rand(1, 3, 64, 64)
    with torch.inference_mode():
        assert torch.equal(
            loaded.network.decode(loaded.network(images))["detect"]["rows"],
            network.decode(network(images))["detect"]["rows"],
        )


def test_a_record_that_claims_more_than_its_file_takes_no_memory(tmp_path):
    """Two hundred gigabytes, if the claim were believed."""
    claim = record_of(TINY, ANCHORS_640, stages=[[8192, 64]] * 3)
    save(pyramid(2, TINY, ANCHORS_640), claim, tmp_path / "a.safetensors")
    with pytest.raises(WeightsError, match="does not fit its model"):
        load(tmp_path / "a.safetensors")


IMPOSSIBLE = [
    ("nothing", None, {}),
    ("a width of nothing", "amiss", {"stages": [[0, 1], [16, 1], [16, 1]]}),
    ("a width beyond measure", "amiss", {"stages": [[10**9, 1], [16, 1], [16, 1]]}),
    ("a depth beyond measure", "amiss", {"stages": [[16, 10**9], [16, 1], [16, 1]]}),
    ("stages that are none", "amiss", {"stages": 3}),
    ("too many stages", "levels over", {"stages": [[16, 1]] * 9}),
    ("more levels than stages", "levels over", {"levels": 4}),
    ("one level", "levels over", {"levels": 1}),
    ("no neck", "levels over", {"neck_depth": 0}),
    ("an unknown stem", "amiss", {"reorganise": "eval"}),
    ("an unknown down", "amiss", {"down": ["DownC"]}),
    ("an unknown mixer", "amiss", {"mixer": "eval"}),
    ("a mixer of many", "amiss", {"mixer": ["NonLocal"]}),
    ("a stem of text", "amiss", {"stem": "wide"}),
    ("a truth for a number", "amiss", {"levels": True}),
    ("anchors of other levels", "anchors", {"anchors": [[[1, 2]]]}),
    ("ragged anchors", "anchors", {"anchors": [[[1, 2]], [[1, 2]], [[1, 2], [3, 4]]]}),
    ("no anchors", "anchors", {"anchors": [[], [], []]}),
    ("anchors that are no pairs", "amiss", {"anchors": [[[1]], [[1]], [[1]]]}),
]


@pytest.mark.parametrize(("told", "changes"), [row[1:] for row in IMPOSSIBLE], ids=[row[0] for row in IMPOSSIBLE])
def test_error(told, changes):
    record = record_of(TINY, ANCHORS_640, **changes)
    if told is None:
        assert network_of(record).stride == 32
        return
    with pytest.raises(WeightsError, match=told):
        network_of(record)


@pytest.mark.parametrize("plan", [{"classes": ["a"]}, {"classes": ["b", "a"]}, {"classes": 2}, {}, {"classes": []}])
@pytest.mark.parametrize("model", ["debug", FAMILY])
def test_error_classes_that_are_not_those_of_the_detector(model, plan):
    """Its answers would be given names that they do not have, or none."""
    record = replace(record_of(TINY, ANCHORS_640), model=model, tasks={"detect": plan})
    with pytest.raises(WeightsError, match="2 classes, or other ones"):
        network_of(record)


@pytest.mark.parametrize("model", ["debug", FAMILY])
def test_error_nothing_to_detect(model):
    with pytest.raises(WeightsError, match="0 classes"):
        network_of(replace(record_of(TINY, ANCHORS_640), model=model, classes=()))


@pytest.mark.parametrize("model", ["debug", FAMILY])
def test_a_network_need_not_detect(model):
    plan = {"tags": {"names": ["a", "b", "c"], "single": True}}
    record = replace(record_of(TINY, ANCHORS_640), model=model, classes=(), tasks=plan)
    assert list(network_of(record).tasks) == ["tags"]


def test_a_family_without_numbers():
    with pytest.raises(WeightsError, match="amiss"):
        network_of(Record(model=FAMILY, classes=("a",), input_size=640))
