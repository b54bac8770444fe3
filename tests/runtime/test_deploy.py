"""`Model.deploy`: what is asked for or the fastest that answers alike, chosen once, and errors that say what to do."""

import sys
import time

import pytest
import torch
from seven import network_of_seven, record_of_seven

from tacit.api import Model
from tacit.errors import ConfigError, WeightsError
from tacit.processor import CPU
from tacit.runtime import deploy
from tacit.runtime.choice_memory import keep, key_of, recall
from tacit.runtime.engine import Engine, Precision
from tacit.runtime.openvino_engine import OpenVinoEngine
from tacit.runtime.torch_engine import TorchEngine
from tacit.runtime.ways import WAYS, Way, fitting
from tacit.runtime.wish import EngineKind, PrecisionKind

EXACT = Way(EngineKind.TORCH, Precision.FP32)
OTHER = Way(EngineKind.OPENVINO, Precision.FP32)
AUTO = EngineKind.AUTO, PrecisionKind.AUTO


class Pretended(Engine):
    """Torch under another name: slower, or wrong."""

    precision = Precision.FP32
    device = CPU

    def __init__(self, network, pause=0.0, factor=1.0):
        self.inner, self.pause, self.factor = TorchEngine(network), pause, factor

    def __call__(self, batch):
        time.sleep(self.pause)
        answers = self.inner(batch)
        return {**answers, "detect": {"rows": answers["detect"]["rows"] * self.factor}}


@pytest.fixture
def model():
    return Model(network_of_seven().only(["detect"]), record_of_seven())


def subject(model, size=128):
    return deploy.Subject(model.network.fold(), model.record, size)


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("TACIT_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


@pytest.fixture
def two_ways(monkeypatch):
    """Torch and a pretended OpenVINO; what was built is listed."""
    built = []

    def build(way, network, record):
        built.append(way)
        pauses = {EXACT: 0.0, OTHER: 0.05}
        return Pretended(network, pauses[way])

    monkeypatch.setattr(deploy, "fitting", lambda possible, engine, precision: [EXACT, OTHER])
    monkeypatch.setattr(Way, "build", build)
    return built


def test_value_a_named_engine_is_built_and_not_measured(model, cache, scene):
    exact = model.deploy("torch", "fp32")
    assert isinstance(exact.engine, TorchEngine)
    assert not cache.exists()
    assert model.engine is None
    ours, theirs = exact.predict(scene[0], confidence=0.01), model.predict(scene[0], confidence=0.01)
    assert (ours.boxes == theirs.boxes).all()
    assert model.deploy("torch", "bf16").engine.precision is Precision.BF16


def test_value_it_is_a_snapshot(model, scene):
    deployed = model.deploy("torch", "fp32")
    before = deployed.predict(scene[0], confidence=0.01)
    with torch.no_grad():
        for parameter in model.network.parameters():
            parameter.mul_(0.5)
    assert (deployed.predict(scene[0], confidence=0.01).boxes == before.boxes).all()


def test_value_only_some_tasks(model):
    seven = Model(network_of_seven(), record_of_seven()).deploy("torch", "fp32", tasks=["tags"])
    assert seven.tasks == ("tags",)
    with pytest.raises(ConfigError, match="these weights know no task 'pose'"):
        model.deploy("torch", "fp32", tasks=["pose"])


def test_value_the_fastest_is_chosen_and_remembered(model, two_ways):
    deploy.deployed(subject(model), *AUTO)
    assert two_ways == [EXACT, OTHER]
    deploy.deployed(subject(model), *AUTO)
    assert two_ways == [EXACT, OTHER, EXACT]
    deploy.deployed(subject(model, 96), *AUTO)  # another size is another question
    assert two_ways == [EXACT, OTHER, EXACT, EXACT, OTHER]


def test_value_a_damaged_memory_is_rewritten(model, two_ways, cache):
    cache.mkdir()
    for content in ("{", "[]", '{"a": 1}', "\xff"):
        (cache / "engines.json").write_bytes(content.encode("latin-1"))
        deploy.deployed(subject(model), *AUTO)
        deploy.deployed(subject(model), *AUTO)
    assert two_ways == [EXACT, OTHER, EXACT] * 4


def test_value_what_is_remembered_may_be_gone(model, two_ways):
    deploy.deployed(subject(model), *AUTO)
    key = key_of("another question")
    keep(key, {"way": "abacus fp32"})
    assert recall(key) == {"way": "abacus fp32"}
    assert recall(key_of("a third")) == {}


def test_value_who_answers_otherwise_is_out(model):
    network = model.network.fold()
    engines = {EXACT: TorchEngine(network), OTHER: Pretended(network, factor=1.01)}
    assert list(deploy.trusted(engines, subject(model))) == [EXACT]
    with pytest.raises(ConfigError, match="nothing that is here answers as torch in float32 does"):
        deploy.trusted({OTHER: engines[OTHER]}, subject(model))


def test_value_who_is_far_behind_is_not_asked_again(model):
    network, batch = model.network.fold(), torch.rand(1, 3, 64, 64)
    engines = {EXACT: Pretended(network), OTHER: Pretended(network, pause=0.1)}
    engines[EXACT](batch)
    start = time.perf_counter()
    assert list(deploy.timed(engines, batch)) == [EXACT]
    assert time.perf_counter() - start < 0.1 * deploy.ROUNDS


@pytest.mark.parametrize(
    ("wish", "message"),
    [
        (("abacus", "auto"), "there is no engine 'abacus'. Allowed: auto, torch, onnxruntime, openvino, tensorrt"),
        (("auto", "fp8"), "there is no precision 'fp8'. Allowed: auto, fp32, bf16, int8"),
        (("auto", "int8"), "these weights are not in int8. To do: tacit export WEIGHTS --precision int8"),
        (
            ("onnxruntime", "bf16"),
            "onnxruntime bf16 is not possible here. Allowed: torch fp32",
        ),
    ],
)
def test_error_a_wish_that_cannot_be(model, wish, message):
    with pytest.raises(ConfigError, match=message):
        model.deploy(*wish)


def test_error_no_gpu(model, monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(ConfigError, match="the engine tensorrt needs an NVIDIA GPU, and there is none"):
        model.deploy("tensorrt")


def test_error_not_installed(monkeypatch):
    monkeypatch.setitem(sys.modules, "openvino", None)
    with pytest.raises(ConfigError, match=r"openvino is not installed. To do: pip install 'tacit\[openvino\]'"):
        OpenVinoEngine(b"")


@pytest.mark.parametrize(("engine", "extra"), [("onnxruntime", "onnx"), ("openvino", "openvino")])
def test_error_an_engine_that_is_not_installed(model, monkeypatch, engine, extra):
    monkeypatch.setattr(Way, "installed", lambda way: False)
    with pytest.raises(ConfigError, match=rf"engine {engine} is not installed. To do: pip install .tacit\[{extra}\]"):
        model.deploy(engine, "fp32")


def test_error_no_model():
    pytest.importorskip("openvino")
    for content in (b"", b"no model", b"\x08\x07" * 40):
        with pytest.raises(WeightsError, match="OpenVINO cannot read the model"):
            OpenVinoEngine(content)


def test_value_what_fits(monkeypatch):
    assert fitting(WAYS, EngineKind.TORCH, PrecisionKind.FP32) == [EXACT]
    monkeypatch.setattr(Way, "installed", lambda way: way.kind is EngineKind.TORCH)
    monkeypatch.setattr("tacit.runtime.ways.has_bfloat16", lambda: False)
    assert fitting(WAYS, *AUTO) == [EXACT]
    assert fitting(WAYS, EngineKind.AUTO, PrecisionKind.BF16) == [Way(EngineKind.TORCH, Precision.BF16)]
