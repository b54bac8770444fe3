"""Export itself: what goes together, and, slow, every format from weights to answers."""

import warnings
from dataclasses import replace

import pytest
import torch
from seven import network_of_seven, record_of_seven
from small_export import SMALL

from tacit import load, zoo
from tacit.errors import ConfigError
from tacit.runtime.engine import Precision
from tacit.runtime.export import Format, Wish, export
from tacit.runtime.exportable import Exportable
from tacit.runtime.onnx_file import read_onnx
from tacit.runtime.tensorrt_export import require_tensorrt
from tacit.thresholds import Thresholds
from tacit.weights.record import Record

pytest.importorskip("onnxscript")


@pytest.mark.parametrize(
    ("wish", "message"),
    [
        ({"precision": Precision.BF16}, "onnxruntime does not calculate"),
        ({"format": Format.TORCH, "suppression": Thresholds()}, "suppression goes into"),
    ],
)
def test_error_what_does_not_go_together(wish, message):
    with pytest.raises(ConfigError, match=message):
        Wish(**wish)


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU")
def test_error_tensorrt_without_a_gpu():
    with pytest.raises(ConfigError, match="NVIDIA GPU"):
        require_tensorrt()


@pytest.mark.parametrize("model", ["debug", "yolor-s4-dwt"])
@torch.inference_mode()
def test_value_plain_halves_are_the_same(model):
    network = zoo.create(model, 2).eval()
    whole = Exportable(network, Record(model=model, classes=("a", "b"), input_size=64))
    batch = torch.rand(1, 3, 64, 96, generator=torch.Generator().manual_seed(0))
    (wanted,) = whole(batch)
    (found,) = whole.plain()(batch)
    torch.testing.assert_close(found, wanted)


def check(model, network, shapes, tolerance=1e-4):
    """What the loaded model answers against torch."""
    folded = network.fold()
    for shape in shapes:
        batch = torch.rand(shape, generator=torch.Generator().manual_seed(0))
        with torch.inference_mode():
            wanted = folded.decode(folded(batch))
        for task, parts in model.engine(batch).items():
            for part, values in parts.items():
                scale = wanted[task][part].abs().max().item()
                torch.testing.assert_close(values, wanted[task][part], rtol=tolerance, atol=tolerance * scale)


@pytest.mark.slow
def test_value_onnx_as_it_is_in_the_repository(tmp_path, capfd):
    """Written by today's exporter without a word, and with the passport that the tests' own file has."""
    from small_export import write

    with warnings.catch_warnings():
        warnings.simplefilter("error")
        passport = write(tmp_path / "seven.onnx")
    assert capfd.readouterr() == ("", "")
    content = (tmp_path / "seven.onnx").read_bytes()
    assert b"/site-packages/" not in content
    assert replace(passport, version="") == replace(read_onnx(SMALL)[1], version="")
    check(load(tmp_path / "seven.onnx"), network_of_seven(), [(1, 3, 64, 64), (3, 3, 96, 64)])


@pytest.mark.slow
def test_value_openvino(tmp_path):
    pytest.importorskip("openvino")
    network = network_of_seven().only(["detect", "pose"])
    export(network, record_of_seven(), tmp_path / "two.xml", Wish(format=Format.OPENVINO, suppression=Thresholds()))
    assert sorted(path.name for path in tmp_path.iterdir()) == ["two.bin", "two.xml"]
    model = load(tmp_path / "two.xml")
    assert model.tasks == ("detect", "pose")
    check(model, network, [(1, 3, 64, 64), (3, 3, 96, 64)])


@pytest.mark.slow
@pytest.mark.parametrize("precision", [Precision.FP32, Precision.BF16], ids=lambda precision: precision.value)
def test_value_torch(tmp_path, precision):
    network = network_of_seven().only(["detect", "segment"])
    export(network, record_of_seven(), tmp_path / "two.pt2", Wish(format=Format.TORCH, precision=precision))
    model = load(tmp_path / "two.pt2", trusted=True)
    assert (model.tasks, model.engine.precision) == (("detect", "segment"), precision)
    check(model, network, [(1, 3, 64, 64), (3, 3, 96, 64)], 1e-4 if precision is Precision.FP32 else 0.2)
