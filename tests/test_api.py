"""`tacit.load()` and `model.predict(...)`: one for one, a list for a list, the same answer for the same photograph."""

import subprocess
import sys

import numpy as np
import pytest
import torch
from PIL import Image

import tacit
from tacit.api import Model, create, load
from tacit.errors import ConfigError, ImageError, WeightsError
from tacit.nn.knowledge import Knowledge
from tacit.weights.files import save
from tacit.weights.record import Record
from tacit.zoo import create as create_network

NAMES = ("square", "disc", "star")
LOW = 1e-4  # an untrained network is sure of nothing


@pytest.fixture(scope="module")
def model():
    torch.manual_seed(0)
    return Model(create_network("debug", len(NAMES)).eval(), Record(model="debug", classes=NAMES, input_size=128))


def same(one, other):
    return all(np.array_equal(getattr(one, field), getattr(other, field)) for field in ("boxes", "scores", "classes"))


def test_one_for_one_and_a_list_for_a_list(model, scene):
    image = scene[0]
    assert isinstance(model.predict(image), tacit.Result)
    for many in ([image], [image] * 3, (image, image), []):
        results = model.predict(many, batch=2)
        assert isinstance(results, list)
        assert len(results) == len(many)


def test_path_str_array_and_pillow_give_the_same_boxes(model, photos):
    path = photos / "1.png"
    with Image.open(path) as picture:
        array = np.asarray(picture)
        sources = [path, str(path), array, picture, Image.fromarray(array)]
        results = model.predict(sources, confidence=LOW)
    assert len(results[0]) > 0
    assert all(same(result, results[0]) for result in results)
    assert [result.path for result in results] == [path, path, None, None, None]
    assert (results[0].height, results[0].width) == array.shape[:2] == results[0].image.shape[:2]


def test_a_list_of_several_sizes_is_answered_as_one_by_one(model, photos):
    paths = sorted(photos.iterdir())
    together = model.predict(paths, confidence=LOW, batch=3)
    for path, result in zip(paths, together, strict=True):
        alone = model.predict(path, confidence=LOW)
        assert result.path == path
        assert len(result) == len(alone)
        np.testing.assert_allclose(result.scores, alone.scores, atol=1e-5)


def test_bgr_says_the_order_of_the_channels(model, scene):
    image = scene[0]
    rgb = model.predict(image, confidence=LOW)
    assert same(model.predict(image[..., ::-1].copy(), bgr=True, confidence=LOW), rgb)
    assert not same(model.predict(image[..., ::-1].copy(), confidence=LOW), rgb)


def test_boxes_lie_in_the_photograph_and_scores_fall(model, scene):
    result = model.predict(scene[0], confidence=LOW)
    assert (result.boxes >= 0).all()
    assert (result.boxes <= [128, 96, 128, 96]).all()
    assert (result.scores >= LOW).all()
    assert (np.diff(result.scores) <= 0).all()
    assert set(result.classes.tolist()) <= {0, 1, 2}


def test_confidence_one_finds_nothing(model, scene):
    assert len(model.predict(scene[0], confidence=1.0)) == 0


def test_classes_keeps_those_by_name_or_number(model, scene):
    by_name = model.predict(scene[0], confidence=LOW, classes=["disc"])
    assert set(by_name.classes.tolist()) == {1}
    assert same(model.predict(scene[0], confidence=LOW, classes=[1]), by_name)


def test_classes_takes_the_numbers_of_a_result(model, scene):
    found = model.predict(scene[0], confidence=LOW)
    again = model.predict(scene[0], confidence=LOW, classes=found.classes)
    assert set(again.classes.tolist()) == set(found.classes.tolist())
    assert same(
        model.predict(scene[0], confidence=LOW, classes=np.array([1])),
        model.predict(scene[0], confidence=LOW, classes="disc"),
    )


@pytest.mark.parametrize("change", [lambda p: p.add_(1), lambda p: setattr(p, "data", p + 1)])
def test_a_network_that_has_learnt_gives_new_answers(scene, change):
    """`parameter.data` goes past torch's version counters."""
    torch.manual_seed(0)
    record = Record(model="debug", classes=NAMES, input_size=128)
    model = Model(create_network("debug", len(NAMES)).eval(), record)
    before = model.predict(scene[0], confidence=LOW)
    assert model.stages().network is model.stages().network  # folded once for the same weights
    with torch.no_grad():
        change(list(model.network.parameters())[-1])
    after = model.predict(scene[0], confidence=LOW)
    assert not same(after, before)
    assert same(after, Model(model.network, record).predict(scene[0], confidence=LOW))


def test_running_statistics_count_as_weights(scene):
    torch.manual_seed(0)
    model = Model(create_network("debug", len(NAMES)).eval(), Record(model="debug", classes=NAMES, input_size=128))
    before = model.stages().network
    next(module for module in model.network.modules() if hasattr(module, "running_var")).running_var.mul_(4)
    assert model.stages().network is not before


def test_prediction_does_not_touch_the_network(model, scene):
    before = {name: value.clone() for name, value in model.network.state_dict().items()}
    model.predict(scene[0])
    after = model.network.state_dict()
    assert all(torch.equal(value, after[name]) for name, value in before.items())


def test_a_later_change_of_the_array_does_not_reach_the_result(model, scene):
    image = scene[0].copy()
    result = model.predict(image)
    image[:] = 0
    assert (result.image == scene[0]).all()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"confidence": 1.5}, "confidence"),
        ({"confidence": float("nan")}, "confidence"),
        ({"iou": -0.1}, "iou"),
        ({"batch": 0}, "batch is 0"),
        ({"size": 100}, "100 pixels"),
        ({"size": 0}, "0 pixels"),
        ({"classes": ["dics"]}, "no class 'dics'.*perhaps you mean 'disc'"),
        ({"classes": [3]}, "no class 3"),
        ({"classes": [-1]}, "no class -1"),
        ({"classes": np.array([3])}, r"no class .*3"),
    ],
)
def test_options_out_of_range_are_config_errors(model, scene, options, message):
    with pytest.raises(ConfigError, match=message):
        model.predict(scene[0], **options)


def test_bad_photographs_are_image_errors(model, tmp_path):
    (tmp_path / "note.jpg").write_text("no picture")
    for source in (tmp_path / "gone.jpg", str(tmp_path / "note.jpg"), tmp_path, np.zeros((9, 9, 3))):
        with pytest.raises(ImageError):
            model.predict(source)


def test_tiny_and_thin_pictures_are_answered(model):
    for shape in ((1, 1, 3), (1, 300, 3), (300, 1, 3), (2, 2)):
        result = model.predict(np.full(shape, 90, np.uint8), confidence=LOW)
        assert (result.height, result.width) == shape[:2]
        assert np.isfinite(result.boxes).all()


def test_load_reads_what_was_saved(model, tmp_path, scene):
    save(model.network, model.record, tmp_path / "w.safetensors")
    loaded = load(str(tmp_path / "w.safetensors"))
    assert loaded.names == NAMES
    assert repr(loaded) == "Model('debug', 3 classes, 128 px)"
    assert same(loaded.predict(scene[0], confidence=LOW), model.predict(scene[0], confidence=LOW))


def test_create_gives_a_model_of_ones_own_classes(scene):
    torch.manual_seed(0)
    by_number, by_name = create("debug", 20), tacit.create("debug", classes=["cat", "dog"])
    assert by_number.names == tuple(f"class {index}" for index in range(20))
    assert by_name.names == ("cat", "dog")
    assert repr(by_name) == "Model('debug', 2 classes, 640 px, starting from random weights)"
    assert not by_name.network.training
    result = by_number.predict(scene[0], confidence=LOW, size=128)
    assert len(result) > 0
    assert set(result.names) == set(by_number.names)


def test_create_says_when_only_the_trunk_fits(model, tmp_path, caplog, monkeypatch):
    monkeypatch.setattr(tacit.api.LOG, "disabled", False)  # libraries that other tests load switch loggers off
    monkeypatch.setattr(tacit.api.LOG, "handlers", [caplog.handler])
    monkeypatch.setattr(tacit.api.LOG, "propagate", False)
    caplog.set_level("WARNING", logger="tacit.api")
    path = tmp_path / "three.safetensors"
    save(model.network, model.record, path)
    same_classes = create("debug", NAMES, weights=str(path))
    assert not caplog.records
    assert same_classes.record == model.record
    other = create("debug", 20, weights=path)
    assert "the trunk of three.safetensors" in caplog.text
    assert "heads are new" in caplog.text
    assert "heads are new" in repr(other)
    trunk = model.network.trunk.state_dict()
    assert all(torch.equal(value, trunk[name]) for name, value in other.network.trunk.state_dict().items())


def test_the_low_level_face(model, tmp_path):
    """What is promised: a module, raw maps before any sigmoid, decoded rows, and nothing folded unless asked."""
    save(model.network, model.record, tmp_path / "w.safetensors")
    network = load(tmp_path / "w.safetensors").network
    assert isinstance(network, torch.nn.Module)
    for kind in (torch.nn.BatchNorm2d, Knowledge):
        assert any(isinstance(part, kind) for part in network.modules())
    images = torch.rand(2, 3, 64, 96, generator=torch.Generator().manual_seed(0))
    with torch.inference_mode():
        outputs = network(images)
        rows = network.decode(outputs)["detect"]["rows"]
        folded = network.fold().decode(network.fold()(images))["detect"]["rows"]
    assert [tuple(level.shape) for level in outputs["detect"]] == [(2, 3, 64 // s, 96 // s, 8) for s in (8, 16, 32)]
    assert min(level.min() for level in outputs["detect"]) < 0  # no probabilities
    assert rows.shape == (2, 3 * (8 * 12 + 4 * 6 + 2 * 3), 8)
    torch.testing.assert_close(rows, folded, atol=1e-3, rtol=1e-4)
    torch.testing.assert_close(rows[:, : 3 * 8 * 12, 4:], outputs["detect"][0].sigmoid()[..., 4:].flatten(1, 3))


def test_load_of_no_weights_is_a_weights_error(tmp_path):
    with pytest.raises(WeightsError):
        load(tmp_path / "gone.safetensors")


def test_the_package_is_lazy_and_names_what_it_has():
    code = "import sys, tacit; assert 'torch' not in sys.modules and 'numpy' not in sys.modules; print(dir(tacit))"
    listed = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert eval(listed) == ["Model", "Result", "TacitError", "__version__", "create", "load"]
    assert tacit.create is create
    assert tacit.load is load
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        tacit.nothing  # noqa: B018
