"""int8: convolutions are, the last ones are not, answers stay near, and what can be wrong is said in a sentence."""

import sys
from collections import Counter

import numpy as np
import pytest
from pictures import draw_scene
from PIL import Image
from seven import network_of_seven, record_of_seven

from tacit import zoo
from tacit.errors import ConfigError, DataError
from tacit.runtime.agreement import Gap, gaps, too_far
from tacit.runtime.calibration import calibration, evenly, labelled_splits
from tacit.runtime.comparison import changes, scored_dataset
from tacit.runtime.engine import Precision
from tacit.runtime.kept import ahead_of, last_convolutions
from tacit.runtime.openvino_core import core
from tacit.runtime.probe import seen
from tacit.runtime.quantise import quantised
from tacit.runtime.torch_engine import TorchEngine
from tacit.stages import Stages

INSIDE, LAST = ("first", "second"), ("boxes", "words")


@pytest.fixture
def stages():
    return Stages(zoo.create("debug", 2).eval(), ("square", "disc"), 64)


@pytest.fixture
def labelled(tmp_path):
    """A dataset of six drawn photographs to learn from and three to choose on."""
    for split, count in (("train", 6), ("val", 3)):
        for kind in ("images", "labels"):
            (tmp_path / kind / split).mkdir(parents=True)
        for number in range(count):
            image, boxes, classes = draw_scene(number, 64, 64)
            Image.fromarray(image).save(tmp_path / "images" / split / f"{number}.png")
            rows = np.column_stack([classes, (boxes[:, :2] + boxes[:, 2:]) / 128, (boxes[:, 2:] - boxes[:, :2]) / 64])
            lines = "\n".join(" ".join(map(str, row)) for row in rows)
            (tmp_path / "labels" / split / f"{number}.txt").write_text(lines)
    (tmp_path / "data.yaml").write_text("train: images/train\nval: images/val\nnames: [square, disc]\n")
    return tmp_path


def convolved(data, rng, name, channels, kernel):
    ops = pytest.importorskip("openvino").opset13
    weight = rng.normal(0, 0.3, (channels, data.output(0).get_partial_shape()[1].get_length(), kernel, kernel)).astype(
        np.float32
    )
    pad = [kernel // 2] * 2
    node = ops.convolution(data, ops.constant(weight), [1, 1], pad, pad, [1, 1], name=name)
    return ops.add(node, ops.constant(rng.normal(0, 0.1, (1, channels, 1, 1)).astype(np.float32)))


@pytest.fixture
def model():
    """Two convolutions that two tasks share, and one for each; one of these goes on to answer from its sums."""
    openvino = pytest.importorskip("openvino")
    ops, rng = openvino.opset13, np.random.default_rng(0)
    images = ops.parameter([-1, 3, -1, -1], np.float32, name="images")
    shared = ops.swish(convolved(ops.swish(convolved(images, rng, "first", 8, 3)), rng, "second", 8, 3))
    boxes = ops.multiply(ops.sigmoid(convolved(shared, rng, "boxes", 4, 1)), np.float32(2), name="decode")
    words = ops.matmul(
        ops.reduce_mean(convolved(shared, rng, "words", 6, 1), np.array([2, 3])),
        ops.constant(rng.normal(0, 1, (6, 3)).astype(np.float32)), transpose_a=False, transpose_b=False, name="say",
    )  # fmt: skip
    return openvino.Model([ops.result(boxes), ops.result(words)], [images], "small")


def pictures(count=8):
    return [draw_scene(seed, 48, 64)[0].transpose(2, 0, 1)[None].astype(np.float32) / 255 for seed in range(count)]


def answers(model, picture):
    compiled = core().compile_model(model, "CPU", {"INFERENCE_PRECISION_HINT": "f32"})
    return [compiled(picture)[index].copy() for index in range(len(model.outputs))]


def rounded_inputs(model):
    """The convolutions and products whose input goes through 256 steps."""
    nodes = [node for node in model.get_ordered_ops() if node.get_type_name() in {"Convolution", "MatMul"}]
    sources = {node.get_friendly_name(): node.input_value(0).get_node().get_type_name() for node in nodes}
    return {name for name, kind in sources.items() if kind == "FakeQuantize"}


def test_value_the_cut_is_behind_the_last_convolutions(model):
    ends = last_convolutions(model)
    assert sorted(end.get_friendly_name() for end in ends) == sorted(LAST)
    names = {node.get_friendly_name() for node in ahead_of(model, ends).get_ordered_ops()}
    assert {*INSIDE, *LAST} <= names
    assert names.isdisjoint({"decode", "say"})


def test_value_convolutions_are_in_int8_but_the_last_ones(model):
    pytest.importorskip("nncf")
    exact = [answers(model, picture) for picture in pictures(3)]
    small = quantised(model, pictures())
    assert rounded_inputs(small) == set(INSIDE)
    weights = [node for node in small.get_ordered_ops() if str(node.get_output_element_type(0)) == "<Type: 'int8_t'>"]
    assert Counter(len(node.get_output_shape(0)) for node in weights if node.get_type_name() == "Constant") == {4: 2}
    for mine, picture in zip(exact, pictures(3), strict=True):
        for one, other in zip(mine, answers(small, picture), strict=True):
            assert 0 < np.linalg.norm(one - other) < 0.05 * np.linalg.norm(one)


@pytest.mark.slow  # exporting takes most of it
@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning", "ignore::UserWarning")
def test_value_seven_tasks_answer_nearly_the_same(photos, tmp_path):
    pytest.importorskip("openvino")
    pytest.importorskip("nncf")
    from openvino import save_model

    from tacit.runtime.onnx_export import to_onnx
    from tacit.runtime.openvino_engine import OpenVinoEngine

    network, record = network_of_seven().fold(), record_of_seven()
    content = core().read_model(to_onnx(network, record).SerializeToString())
    stages = Stages(network, record.classes, record.input_size)
    save_model(quantised(content, calibration(stages, photos, 5)), tmp_path / "small.xml")
    engine = OpenVinoEngine(tmp_path / "small.xml", Precision.INT8)
    exact, near = (seen(network, record.classes, record.input_size, each) for each in (None, engine))
    # what random weights find stands so near the thresholds that other boxes take over, and their masks and poses
    assert too_far(gaps(exact, near), Precision.INT8).keys() <= {Gap.BOXES, Gap.MASKS, Gap.POINTS}


def test_shape_photographs_become_what_prediction_sees(stages, photos):
    batches = list(calibration(stages, photos, 3))
    assert [batch.shape for batch in batches] == [(1, 3, 64, 64), (1, 3, 64, 64), (1, 3, 64, 64)]
    assert all(batch.dtype == np.float32 and 0 <= batch.min() < batch.max() <= 1 for batch in batches)


def test_value_photographs_are_picked_evenly():
    assert evenly(range(10), 4) == [0, 2, 5, 7]
    assert evenly("abc", 10) == ["a", "b", "c"]
    assert evenly([], 3) == []


def test_value_a_dataset_is_calibrated_on_what_it_trains_on(stages, labelled):
    assert labelled_splits(labelled) == ("train", "val")
    assert {path.parent.name for path in calibration(stages, labelled, 300).paths} == {"train"}
    assert {sample.path.parent.name for sample in scored_dataset(stages, labelled).samples} == {"val"}


def test_value_what_can_be_read_is_taken(stages, photos):
    (photos / "2.png").write_bytes(b"no picture")
    chosen = calibration(stages, photos, 300)
    assert [path.name for path in chosen.paths] == ["0.png", "1.png", "3.png", "4.png"]
    assert [fault.where for fault in chosen.faults] == [str(photos / "2.png")]


def test_value_the_same_engine_costs_nothing(stages, labelled):
    scored = list[int]()
    rows = changes(stages, TorchEngine(stages.network), scored_dataset(stages, labelled), scored.append)
    assert [(row.task, row.figure) for row in rows] == [("detect", "ap")]
    assert rows[0].row()[3] == "+0.00"
    assert sum(scored) == 2 * 3


def test_value_photographs_without_labels_are_not_scored(stages, photos):
    assert scored_dataset(stages, photos) is None


@pytest.mark.parametrize("broken", [False, True], ids=["empty", "damaged"])
def test_error_no_photographs(stages, tmp_path, broken):
    if broken:
        (tmp_path / "a.png").write_bytes(b"no picture")
    with pytest.raises(DataError, match=r"no photographs to calibrate on: .*name a folder"):
        calibration(stages, tmp_path, 300)


def test_error_no_folder(stages, tmp_path):
    with pytest.raises(DataError, match=r"nowhere is not there"):
        calibration(stages, tmp_path / "nowhere", 300)


def test_error_nncf_is_missing(model, monkeypatch):
    monkeypatch.setitem(sys.modules, "nncf", None)
    with pytest.raises(ConfigError, match=r"tacit\[int8\]"):
        quantised(model, pictures(1))
