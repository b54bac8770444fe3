"""Files of torch.save: the same tensors come back from both layouts, and a bad file is told in a sentence."""

import os
import pickle
import struct
import zipfile
from collections import OrderedDict

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from tacit.errors import WeightsError
from tacit.weights.foreign.torch_file import read_torch

LAYOUTS = {"zip": True, "legacy": False}


@pytest.fixture(params=LAYOUTS, name="zipped")
def _zipped(request):
    return LAYOUTS[request.param]


def write(value, path, zipped):
    torch.save(value, path, _use_new_zipfile_serialization=zipped)
    return path


def numbers():
    base = torch.arange(24, dtype=torch.float32)
    return {
        "float": base.reshape(2, 3, 4), "transposed": base.reshape(4, 6).T, "part": base[5:9], "steps": base[::5],
        "half": base.half(), "bfloat": base.bfloat16(), "double": base.double(), "long": base.long(),
        "int": base.int(), "short": base.short(), "char": base.char(), "byte": base.byte(), "bool": base > 3,
        "scalar": torch.tensor(2.5), "empty": torch.empty(0, 3), "parameter": nn.Parameter(base[:2].clone()),
    }  # fmt: skip


def test_tensors_come_back(tmp_path, zipped):
    written = numbers()
    found = read_torch(write(written, tmp_path / "a.pt", zipped))
    assert found.keys() == written.keys()
    for name, value in written.items():
        assert found[name].dtype == value.dtype
        assert torch.equal(found[name], value.detach()), name


def test_containers_come_back(tmp_path, zipped):
    written = {"a": [1, (2.5, None)], "b": OrderedDict(x=torch.ones(2)), 3: {"deep": {"er": "text"}}}
    found = read_torch(write(written, tmp_path / "a.pt", zipped))
    assert torch.equal(found.pop("b")["x"], written.pop("b")["x"])
    assert found == written


def test_state_dict_with_its_versions(tmp_path, zipped):
    state = nn.Sequential(nn.Conv2d(1, 2, 3), nn.BatchNorm2d(2)).state_dict()
    found = read_torch(write(state, tmp_path / "a.pt", zipped))
    assert list(found) == list(state)
    assert all(torch.equal(found[name], value) for name, value in state.items())


def test_scores_of_numpy_stay_shut(tmp_path, zipped):
    """They are let in, but what they were is of no use here."""
    written = {"array": np.ones(3), "number": np.float64(0.5), "tensor": torch.ones(1)}
    found = read_torch(write(written, tmp_path / "a.pt", zipped))
    assert {name: type(value).__name__ for name, value in found.items()} == {
        "array": "Inert", "number": "Inert", "tensor": "Tensor",
    }  # fmt: skip


def test_changing_a_tensor_leaves_the_file(tmp_path, zipped):
    path = write(torch.ones(3), tmp_path / "a.pt", zipped)
    before = path.read_bytes()
    read_torch(path).zero_()
    assert path.read_bytes() == before


@pytest.mark.parametrize("protocol", [2, 3, 4])
def test_newer_pickles(tmp_path, protocol, zipped):
    path = tmp_path / "a.pt"
    torch.save({"a": torch.ones(2)}, path, pickle_protocol=protocol, _use_new_zipfile_serialization=zipped)
    if zipped or protocol == 2:
        assert torch.equal(read_torch(path)["a"], torch.ones(2))
    else:  # the old layout begins with the protocol that torch then had
        with pytest.raises(WeightsError, match="it begins with"):
            read_torch(path)


# what can be wrong


class Trap:
    """Makes a folder when it is unpickled by others."""

    def __init__(self, place):
        self.place = place

    def __reduce__(self):
        return os.mkdir, (self.place,)


def test_a_file_runs_nothing_and_is_refused_by_name(tmp_path, zipped):
    path = write({"model": torch.ones(2), "more": Trap(str(tmp_path / "sprung"))}, tmp_path / "a.pt", zipped)
    with pytest.raises(WeightsError, match=r"asks for posix.mkdir.*refused.*nothing in it ran"):
        read_torch(path)
    assert [each.name for each in tmp_path.iterdir()] == ["a.pt"]
    torch.load(path, weights_only=False)  # and it is a trap indeed
    assert (tmp_path / "sprung").is_dir()


def rezip(path, change):
    """The members of the file, changed by name, in a zip file that is sound in itself."""
    with zipfile.ZipFile(path) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    change(members)
    with zipfile.ZipFile(path, "w") as archive:
        for name, data in members.items():
            archive.writestr(name, data)


def replaced(name, old, new):
    def change(members):
        assert old in members[f"a/{name}"]
        members[f"a/{name}"] = members[f"a/{name}"].replace(old, new)

    return lambda path: rezip(path, change)


def without(name):
    return lambda path: rezip(path, lambda members: members.pop(f"a/{name}"))


def compressed(path):
    with zipfile.ZipFile(path) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members.items():
            archive.writestr(name, data)


def flipped(path):
    """One bit of the weights."""
    data = bytearray(path.read_bytes())
    data[data.index(torch.full((9,), 7.5).numpy().tobytes()) + 5] ^= 1
    path.write_bytes(data)


def cut(share):
    return lambda path: path.write_bytes(path.read_bytes()[: int(share * path.stat().st_size)])


def claims(count, size):
    """The tensor says another number of elements than its storage has: BININT1 of its shape, 9, becomes `size`."""

    def change(members):
        data = members["a/data.pkl"]
        shape = b"K\x09\x85"  # (9,)
        assert data.count(shape) == 1
        members["a/data.pkl"] = data.replace(shape, size)

    return lambda path: rezip(path, change)


BAD: list[tuple[str, object, str]] = [
    ("empty", lambda path: path.write_bytes(b""), "cannot mmap an empty file"),
    ("a web page", lambda path: path.write_text("<!DOCTYPE html><html>Not found"), "begins with b'<!DOCTYPE"),
    ("text", lambda path: path.write_text("weights, honestly"), "begins with b'weights"),
    ("a lone pickle", lambda path: path.write_bytes(pickle.dumps({"model": 1}, 2)), "begins with"),
    ("a folder", lambda path: (path.unlink(), path.mkdir()), "directory"),
    ("zip of photographs", lambda path: zip_of(path, {"a/cat.jpg": b"JPEG"}), "0 files data.pkl"),
    ("empty zip", lambda path: zip_of(path, {}), "begins with"),
    ("two networks", lambda path: zip_of(path, {"a/data.pkl": b"", "b/data.pkl": b""}), "2 files data.pkl"),
    ("TorchScript", lambda path: zip_of(path, {"a/data.pkl": b"", "a/constants.pkl": b""}), "TorchScript"),
    ("cut in the middle", cut(0.5), "damaged"),
    ("cut at the end", cut(0.99), "damaged"),
    ("cut at the start", cut(0.01), "damaged"),
    ("bomb", compressed, "is compressed"),
    ("a flipped bit", flipped, "data/0 is not what was written"),
    ("no weights", without("data/0"), "a/data/0 is missing"),
    ("other byte order", replaced("byteorder", b"little", b"big"), "b'big'-endian"),
    ("unknown byte order", replaced("byteorder", b"little", b"\xff\xfe"), "endian"),
    ("fewer weights than said", replaced("data/0", b"\x00\x00\xf0\x40" * 9, b"\x00\x00\xf0\x40"), "cut off"),
    ("tensor larger than its storage", claims(9, b"K\xff\x85"), "claims 255 numbers of a storage that has 9"),
    ("tensor larger than memory", claims(9, b"\x8a\x08" + b"\xff" * 7 + b"\x0f\x85"), "claims .* of a storage"),
    ("negative size", claims(9, b"J\xff\xff\xff\xff\x85"), "strange numbers"),
    ("size that is no number", claims(9, b"]\x85"), "strange numbers"),
    ("more sizes than strides", claims(9, b"K\x03K\x03\x86"), "damaged"),
    ("storage of an unknown type", replaced("data.pkl", b"FloatStorage", b"QuinticStore"), "QuinticStore"),
    ("pickle of nothing", replaced("data.pkl", b"\x80\x02", b"\x80\x02N."), "None"),
]


def zip_of(path, members):
    with zipfile.ZipFile(path, "w") as archive:
        for name, data in members.items():
            archive.writestr(name, data)


@pytest.mark.parametrize(("spoil", "told"), [bad[1:] for bad in BAD], ids=[bad[0] for bad in BAD])
def test_error(spoil, told, tmp_path):
    path = write({"model": {"weight": torch.full((9,), 7.5)}}, tmp_path / "a.pt", zipped=True)
    spoil(path)
    if told == "None":
        assert read_torch(path) is None
        return
    with pytest.raises(WeightsError, match=told) as caught:
        read_torch(path)
    assert len(str(caught.value)) < 500


def legacy_with(change):
    """The old layout, its bytes changed."""

    def spoil(path):
        write({"weight": torch.full((9,), 7.5)}, path, zipped=False)
        path.write_bytes(change(path.read_bytes()))

    return spoil


COUNT = struct.pack("<q", 9)
BAD_LEGACY = [
    ("cut before the weights", lambda data: data[: data.index(COUNT)], "cut off"),
    ("cut in the weights", lambda data: data[:-1], "cut off"),
    ("cut in the pickle", lambda data: data[:200], "damaged"),
    ("other version", lambda data: data.replace(b"M\xe9\x03", b"M\xea\x03"), "unknown version"),
    ("other machine", lambda data: data.replace(b"little_endianq\x02\x88", b"little_endianq\x02\x89"), "byte order"),
    ("other count", lambda data: data.replace(COUNT, struct.pack("<q", 2**60)), "instead of 9"),
    ("negative count", lambda data: data.replace(COUNT, struct.pack("<q", -1)), "instead of 9"),
]


@pytest.mark.parametrize(("change", "told"), [bad[1:] for bad in BAD_LEGACY], ids=[bad[0] for bad in BAD_LEGACY])
def test_error_of_the_old_layout(change, told, tmp_path):
    path = tmp_path / "a.pt"
    legacy_with(change)(path)
    with pytest.raises(WeightsError, match=told):
        read_torch(path)


@pytest.fixture(scope="module")
def sound(tmp_path_factory):
    """The bytes of a small checkpoint in both layouts, and what it holds."""
    folder = tmp_path_factory.mktemp("sound")
    torch.manual_seed(0)
    value = {"epoch": 3, "model": OrderedDict(a=torch.rand(5, 3), b=torch.rand(4).half()), "best": np.ones(2)}
    files = {name: write(value, folder / f"{name}.pt", zipped).read_bytes() for name, zipped in LAYOUTS.items()}
    return files, value["model"]


@settings(max_examples=300)
@given(data=st.data(), layout=st.sampled_from(sorted(LAYOUTS)))
def test_fuzzed_files_are_refused_or_right(sound, tmp_path_factory, data, layout):
    """Flipped bytes and lost ends: a WeightsError, or, in the zip with its checksums, the right weights."""
    files, right = sound
    spoilt = bytearray(files[layout])
    changes = data.draw(st.lists(st.tuples(st.integers(0, len(spoilt) - 1), st.integers(0, 255)), max_size=4))
    for place, value in changes:
        spoilt[place] = value
    end = data.draw(st.one_of(st.just(len(spoilt)), st.integers(0, len(spoilt))))
    path = tmp_path_factory.getbasetemp() / "fuzzed.pt"
    path.write_bytes(spoilt[:end])
    try:
        found = read_torch(path)
    except WeightsError:
        assert bytes(spoilt[:end]) != files[layout]
        return
    if layout == "zip":
        assert all(torch.equal(found["model"][name], value) for name, value in right.items())
