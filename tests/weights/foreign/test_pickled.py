"""Pickles as plain data: what they may hold comes back, whatever they ask for beyond is refused, and nothing runs."""

import copyreg
import io
import os
import pickle
import struct
from collections import OrderedDict

import pytest

from tacit.weights.foreign.pickled import MALFORMED, Inert, RefusedError, Unpickler

PLAIN = {
    "text": "caf\u00e9", "bytes": b"\x00\xff" * 200, "numbers": [0, -1, 300, 70_000, 2**40, -(2**70), 0.5],
    "constants": (None, True, False), "nested": {1: [(), (1,), (1, 2), (1, 2, 3), (1, 2, 3, 4)], 2: {}},
}  # fmt: skip


def read(data, **options):
    return Unpickler(**options).load(io.BytesIO(data))


@pytest.mark.parametrize("protocol", [2, 3, 4])
def test_plain_values_come_back(protocol):
    value = {name: part for name, part in PLAIN.items() if protocol > 2 or name != "bytes"}
    assert read(pickle.dumps(value, protocol)) == value


def test_shared_objects_stay_shared():
    inner = [1]
    first, second = read(pickle.dumps([inner, inner], 2))
    assert first is second


def test_an_object_that_holds_itself():
    loop = []
    loop.append(loop)
    again = read(pickle.dumps(loop, 2))
    assert again[0] is again


def test_reading_leaves_the_file_behind_the_pickle():
    file = io.BytesIO(pickle.dumps(1, 2) + pickle.dumps("two", 2) + b"rest")
    reader = Unpickler()
    assert [reader.load(file), reader.load(file), file.read()] == [1, "two", b"rest"]


class Colour:
    def __init__(self):
        self.shade = "red"


def test_an_allowed_class_becomes_a_bag():
    name = f"{Colour.__module__}.Colour"
    for protocol in (2, 4):
        bag = read(pickle.dumps(Colour(), protocol), names={name})
        assert (type(bag), bag.name, bag.get("shade"), bag.get("size")) == (Inert, name, "red", None)
    assert read(pickle.dumps(Colour(), 2), packages=(f"{Colour.__module__}.",)).name == name


def test_makers_make_what_is_named():
    data = pickle.dumps(OrderedDict(a=1), 2)
    made = read(data, names={"collections.OrderedDict"}, makers={"collections.OrderedDict": OrderedDict})
    assert made == OrderedDict(a=1)


def asks_for(function, *arguments):
    """A pickle that calls, if it is let."""

    class Trap:
        def __reduce__(self):
            return function, arguments

    return Trap()


@pytest.mark.parametrize("protocol", [2, 4])
@pytest.mark.parametrize(
    ("function", "arguments", "name"),
    [
        (os.mkdir, ("sprung",), "posix.mkdir"),
        (eval, ("open('sprung', 'w')",), "eval"),
        (getattr, (os, "mkdir"), "getattr"),
        (copyreg.add_extension, ("os", "mkdir", 77), "copyreg.add_extension|copy_reg.add_extension"),
        (bytearray, (2**40,), "bytearray"),
    ],
    ids=["mkdir", "eval", "getattr", "extension", "memory"],
)
def test_any_other_name_is_refused_and_nothing_runs(function, arguments, name, protocol, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    arguments = tuple(str(one) if one is os else one for one in arguments)  # a module cannot be pickled
    with pytest.raises(RefusedError, match=name):
        read(pickle.dumps([1, asks_for(function, *arguments)], protocol))
    assert not list(tmp_path.iterdir())


def test_an_allowed_name_is_not_called_either(tmp_path):
    place = tmp_path / "sprung"
    bag = read(pickle.dumps(asks_for(os.mkdir, str(place)), 2), names={"posix.mkdir"})
    assert (bag.name, bag.arguments) == ("posix.mkdir", (str(place),))
    assert not place.exists()


def nested(depth):
    """() in tuples, so deep that its hash would overflow the machine's own stack."""
    return b"\x80\x02})" + b"\x85" * depth + b"K\x01s."


MALFORMED_PICKLES = {
    "nothing": b"",
    "no end": b"\x80\x02K\x01",
    "cut in a number": b"\x80\x02J\x01",
    "unknown opcode": b"\x80\x02\xfe.",
    "an opcode of old pickles": b"(lp0\n.",
    "calls a number": b"\x80\x02K\x01)R.",
    "makes from a number": b"\x80\x02K\x01)\x81.",
    "builds a number": b"\x80\x02K\x01}b.",
    "builds a list": b"\x80\x02]}b.",
    "puts into a number": b"\x80\x02K\x01K\x02K\x03s.",
    "appends to a dictionary": b"\x80\x02}K\x01a.",
    "keys that are lists": b"\x80\x02}]K\x01s.",
    "keys nested without end": nested(50_000),
    "half a pair": b"\x80\x02}(K\x01u.",
    "empty stack": b"\x80\x020.",
    "takes from an empty stack": b"\x80\x02\x87.",
    "no mark": b"\x80\x02t.",
    "remembers what was not": b"\x80\x02h\x07.",
    "keeps things outside": b"\x80\x02K\x01Q.",
    "an extension": b"\x80\x02\x82\x01.",
    "text longer than the file": b"\x80\x02X" + struct.pack("<I", 2**32 - 1) + b"abc.",
    "bytes longer than any memory": b"\x80\x04\x8e" + struct.pack("<Q", 2**62) + b"abc.",
    "a name with an odd escape": b"\x80\x02ca\\\xff\nb\n.",
}


@pytest.mark.parametrize("data", MALFORMED_PICKLES.values(), ids=MALFORMED_PICKLES)
def test_what_is_no_pickle(data):
    with pytest.raises((*MALFORMED, RefusedError)):
        read(data)


def test_a_huge_number_in_the_memo_takes_no_memory():
    """In Python's own unpickler it is the length of an array: these seven bytes would take 64 GB."""
    assert read(b"\x80\x02K\x01r" + struct.pack("<I", 2**32 - 1) + b".") == 1


def test_nesting_without_end_is_read():
    deep = read(b"\x80\x02)" + b"\x85" * 50_000 + b".")
    for _ in range(50_000):
        (deep,) = deep
    assert deep == ()
