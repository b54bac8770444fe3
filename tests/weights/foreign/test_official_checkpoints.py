"""Checkpoints in the official layouts: loaded, they give the golden outputs; converted, they give the same bits."""

import subprocess
import sys
import textwrap

import numpy as np
import pytest
import torch
from commands import run
from official_files import official_module, official_modules, save_module, shapes_of, small, training
from published import arrays_of, facts_of, golden_images, golden_value, rows_of

import tacit
from tacit.errors import TacitError, WeightsError
from tacit.tasks.detect.anchors import ANCHORS_640
from tacit.weights.files import load, read
from tacit.weights.foreign.class_names import COCO

TOLERANCE = 2e-4
TINY = small(stages=((32, 1), (64, 1), (64, 1)))
NAMES = ["square", "disc"]


def golden_state(model):
    """The tensors of the golden files under their official names, buffers too."""
    facts = facts_of(model)
    kept = facts.get("kept_buffers", {})
    return {
        key: torch.tensor(kept[key]).reshape(shape)
        if key in kept
        else golden_value(key, tuple(shape), facts["conv_gain"])
        for key, shape, _ in facts["state_dict"]
    }


def check_outputs(network, model, tolerance=TOLERANCE):
    facts, golden = facts_of(model), arrays_of(model)
    with torch.inference_mode():
        outputs = network(golden_images(facts["input_shape"]))
        rows, decoded = rows_of(outputs["detect"])[0], network.decode(outputs)["detect"]["rows"][0]
    kept = torch.from_numpy(golden["rows"])
    assert (rows[kept] - torch.from_numpy(golden["raw"])).abs().max() <= tolerance
    right = torch.from_numpy(golden["decoded"])
    assert ((decoded[kept] - right).abs() <= tolerance * right.abs().clamp(min=1)).all()


def tiny_state(classes=2, dtype=torch.float32):
    torch.manual_seed(0)
    state = {}
    for key, shape in shapes_of(TINY, classes).items():
        counter = key.endswith("num_batches_tracked")
        state[key] = torch.tensor(7) if counter else (0.5 + torch.rand(shape)).to(dtype)
    grid = next(key for key in state if key.endswith("anchor_grid"))
    state[grid] = torch.tensor(ANCHORS_640, dtype=dtype)[:, None, :, None, None]
    return state


@pytest.fixture
def tiny(tmp_path):
    """A whole checkpoint of the paper line, of a tenth of a megabyte."""
    return save_module(tmp_path / "tiny.pt", tiny_state(), TINY, NAMES)


def answer(network, size=(64, 96)):
    images = torch.rand(2, 3, *size, generator=torch.Generator().manual_seed(1))
    with torch.inference_mode():
        return network.decode(network(images))["detect"]["rows"]


# the golden outputs


@pytest.mark.parametrize("old", [False, True], ids=["zip", "legacy"])
def test_paper_line(tmp_path, old):
    path = save_module(tmp_path / "yolor-ssss-dwt.pt", golden_state("yolor-s4-dwt"), small(), list(COCO), old=old)
    model = tacit.load(path)
    assert (model.record.model, model.names, model.record.input_size) == ("yolor-s4-dwt", COCO, 640)
    assert (model.record.licence, model.record.source) == ("GPL-3.0", "yolor-ssss-dwt.pt")
    check_outputs(model.network, "yolor-s4-dwt")


def test_cfg_line(tmp_path):
    path = tmp_path / "yolor_csp.pt"
    torch.save(training(golden_state("yolor-csp")), path)
    model = tacit.load(path)
    assert (model.record.model, model.names, model.record.input_size) == ("yolor-csp", COCO, 640)
    check_outputs(model.network, "yolor-csp")


@pytest.mark.slow
@pytest.mark.parametrize("model", ["yolor-p6", "yolov4-csp", "yolov4-p6"])
def test_other_models_of_the_cfg_line(model, tmp_path):
    torch.save(training(golden_state(model)), tmp_path / "a.pt")
    loaded = load(tmp_path / "a.pt")
    assert loaded.record.model == model
    check_outputs(loaded.network, model)


# precision, layouts, conversion


def test_half_precision_is_kept_exactly(tmp_path):
    state = tiny_state(dtype=torch.float16)
    weights = load(save_module(tmp_path / "a.pt", state, TINY, NAMES))
    assert {value.dtype for value in weights.network.state_dict().values()} == {torch.float32, torch.int64}
    _, found = read(tmp_path / "a.pt")
    for name, value in weights.network.state_dict().items():
        assert torch.equal(value, found[name].to(value.dtype))
    assert sorted(value.sum().item() for value in found.values()) == sorted(
        value.sum().item() for key, value in state.items() if "anchor" not in key and "xfm" not in key
    )


def test_layouts_agree(tmp_path):
    answers = [
        answer(load(save_module(tmp_path / f"{old}.pt", tiny_state(), TINY, NAMES, old=old)).network)
        for old in (False, True)
    ]
    assert torch.equal(*answers)


def test_names_and_structure_are_read(tiny):
    model = tacit.load(str(tiny))
    assert model.names == ("square", "disc")
    assert model.record.model == "pyramid"
    assert model.record.structure["stages"] == [[16, 1], [32, 1], [32, 1]]
    assert not model.network.training


@pytest.mark.parametrize("suffix", [".pt", ".pth", ".PT"])
def test_suffixes(tiny, suffix):
    assert load(tiny.rename(tiny.with_suffix(suffix))).record.classes == ("square", "disc")


def test_convert_gives_the_same_bits(tiny, tmp_path, capsys):
    out = tmp_path / "deep" / "tiny.safetensors"
    assert run("convert", tiny, out) == 0
    printed = capsys.readouterr().out
    for words in ("pyramid", "classes: 2", "640 px", "GPL-3.0", str(out)):
        assert words in printed
    before, after = load(tiny), load(out)
    assert torch.equal(answer(before.network), answer(after.network))
    assert after.record.structure == before.record.structure
    assert after.record.source.startswith("tiny.pt, SHA-256 ")
    assert len(after.record.source.rpartition(" ")[2]) == 64


def test_convert_half(tiny, tmp_path):
    for name in ("whole", "half"):
        assert run("convert", tiny, tmp_path / f"{name}.safetensors", *(["--half"] if name == "half" else [])) == 0
    assert (tmp_path / "half.safetensors").stat().st_size < 0.7 * (tmp_path / "whole.safetensors").stat().st_size
    assert load(tmp_path / "half.safetensors").record.model == "pyramid"


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["missing.pt", "out.safetensors"], "no weights file at"),
        (["tiny.pt", "out.pt"], "ends in .safetensors"),
        (["tiny.pt", "out.safetensors", "--model", "yolor-p6"], "holds a 'pyramid', not a 'yolor-p6'"),
        (["tiny.weights", "out.safetensors", "--model", "yolor-p6"], "no implicit knowledge"),
        (["page.pt", "out.safetensors"], "begins with b'<html>"),
    ],
    ids=["missing", "suffix", "other model", "darknet", "a web page"],
)
def test_convert_error(tiny, arguments, told, monkeypatch, capsys):
    monkeypatch.chdir(tiny.parent)
    (tiny.parent / "page.pt").write_text("<html>Not found</html>")
    assert run("convert", *arguments) == 2
    assert told in capsys.readouterr().err
    assert not list(tiny.parent.glob("*.safetensors"))


def test_own_classes_from_a_checkpoint(tiny):
    """The seam that `tacit.create` and `tacit train` use: record and tensors under our names."""
    record, state = read(tiny)
    assert record.classes == ("square", "disc")
    assert any(name.startswith("trunk.") for name in state)


# what must not happen


def test_a_trap_in_a_checkpoint_is_not_sprung(tiny, tmp_path):
    """A module of an official name that holds a call."""

    class Trap:
        def __reduce__(self):
            return open, (str(tmp_path / "sprung"), "w")

    with official_modules() as make:
        module = official_module(tiny_state(), TINY, NAMES, make)
        module.hyp = Trap()
        torch.save(training(module), tiny)
    with pytest.raises(WeightsError, match=r"tiny.pt: the pickle asks for (_io|io).open"):
        tacit.load(tiny)
    assert not (tmp_path / "sprung").exists()


def test_official_modules_are_not_imported(tiny, tmp_path):
    """Packages of the official names that lie about are not run either."""
    for package in ("models", "pytorch_wavelets"):
        (tmp_path / package).mkdir()
        (tmp_path / package / "__init__.py").write_text("raise SystemExit('imported')")
    script = f"import tacit; print(tacit.load({str(tiny)!r}).record.model)"
    done = subprocess.run([sys.executable, "-c", script], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.stdout.strip() == "pyramid", done.stderr


@pytest.mark.parametrize("share", np.linspace(0.0, 0.99, 12))
def test_truncated(tiny, share):
    tiny.write_bytes(tiny.read_bytes()[: int(share * tiny.stat().st_size)])
    with pytest.raises(TacitError, match=r"tiny.pt"):
        load(tiny)


def test_flipped_bits_never_load(tiny):
    """Every byte of a zip that matters is under a checksum: a checkpoint is read right, or not at all."""
    right, data, random = read(tiny), tiny.read_bytes(), np.random.default_rng(0)
    right = (right[0], {name: value.clone() for name, value in right[1].items()})  # the file will change
    refused = 0
    for place in random.integers(0, len(data), 25):
        spoilt = bytearray(data)
        spoilt[place] ^= 1 << int(random.integers(8))
        tiny.write_bytes(spoilt)
        try:
            record, state = read(tiny)
        except TacitError:
            refused += 1
        else:
            assert record == right[0]
            assert all(torch.equal(state[name], value) for name, value in right[1].items())
    assert refused > 10


MEASURE = """
    import sys, torch, tacit
    from tacit import zoo
    def peak():
        lines = open("/proc/self/status").read().splitlines()
        return int(next(line for line in lines if line.startswith("VmHWM")).split()[1]) * 1024
    tacit.load()
    zoo.create("yolor-s4-dwt", 80)
    before = peak()
    model = tacit.load(sys.argv[1])
    own = sum(value.nbytes for value in model.network.state_dict().values())
    print(peak() - before - own)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="measures by /proc")
def test_memory_of_loading(tmp_path):
    """Above the model itself at most 1.2 times the file, optimiser and all."""
    saved = training(golden_state("yolor-s4-dwt"))
    saved["optimizer"]["state"][0]["momentum_buffer"] = torch.zeros(16_000_000)
    path = tmp_path / "last.pt"
    torch.save(saved, path)
    script = [sys.executable, "-c", textwrap.dedent(MEASURE), str(path)]
    above = int(subprocess.run(script, capture_output=True, text=True, check=True).stdout)
    assert above <= 1.2 * path.stat().st_size
