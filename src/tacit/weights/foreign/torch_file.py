"""Files of `torch.save` as plain data: the zip layout, and the one before torch 1.6.

The file is mapped, not read: a tensor is a window on it. Every claim is held against the file first: a storage lies
inside it, a tensor inside its storage. Why not `torch.load`: docs/decisions/foreign-pickles.md.
"""

from __future__ import annotations

import io
import math
import mmap
import struct
import sys
import zipfile
import zlib
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, TypeAlias

import torch
from torch import Tensor

from tacit.errors import WeightsError
from tacit.weights.foreign.pickled import MALFORMED, Global, Maker, RefusedError, Unpickler, put

FIX = "download it again; a page saved from a browser is no checkpoint"
ZIP_START = b"PK\x03\x04"
MAGIC, VERSION = 0x1950A86A20F9469CFC6C, 1001  # of the layout before torch 1.6
LEGACY_START = b"\x80\x02\x8a\x0a" + MAGIC.to_bytes(10, "little")  # the magic number, pickled
LOCAL_HEADER = struct.Struct("<4s22xHH")  # of a zip member: signature, lengths of its name and of its extra field
COUNT = struct.Struct("<q")
MOST_DIMENSIONS = 8

DTYPES = {
    "torch.FloatStorage": torch.float32, "torch.HalfStorage": torch.float16, "torch.BFloat16Storage": torch.bfloat16,
    "torch.DoubleStorage": torch.float64, "torch.LongStorage": torch.int64, "torch.IntStorage": torch.int32,
    "torch.ShortStorage": torch.int16, "torch.CharStorage": torch.int8, "torch.ByteStorage": torch.uint8,
    "torch.BoolStorage": torch.bool,
}  # fmt: skip
NAMES = DTYPES.keys() | {
    "collections.OrderedDict", "torch._utils._rebuild_tensor_v2", "torch._utils._rebuild_parameter", "torch.Size",
    "torch.nn.parameter.Parameter", "builtins.set", "__builtin__.set",
    "numpy.ndarray", "numpy.dtype", "_codecs.encode",  # the scores of a training are numpy's
    "numpy.core.multiarray._reconstruct", "numpy._core.multiarray._reconstruct",
    "numpy.core.multiarray.scalar", "numpy._core.multiarray.scalar",
}  # fmt: skip
PACKAGES = ("models.yolo.", "models.common.", "models.experimental.", "torch.nn.modules.", "pytorch_wavelets.")


@dataclass(frozen=True)
class Storage:
    """Numbers in the file; `data` is None while it is not known where they lie."""

    dtype: torch.dtype
    count: int
    data: memoryview | None


Find: TypeAlias = Callable[[torch.dtype, str, int], Storage]  # a storage by its key, of so many numbers


def read_torch(path: Path) -> object:
    """What was saved: tensors, plain containers, and an `Inert` for everything else. Nothing in the file runs.

    The tensors are windows on the file, in its precision. Raises WeightsError, without the path, for a file that is
    damaged, that is none of torch's, or that asks for anything but the parts of a network.
    """
    try:
        with path.open("rb") as file:
            view = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_COPY)  # torch wants memory that it may write to
        return _read(view)
    except RefusedError as error:
        raise WeightsError(
            f"the pickle asks for {error}, which is no part of a checkpoint; it was refused, and nothing in it ran",
            allowed="tensors, plain containers and the modules of the official networks",
        ) from error
    except (*MALFORMED, OSError, RuntimeError, zipfile.BadZipFile, struct.error) as error:
        raise WeightsError(f"the file is damaged, or no checkpoint of torch ({str(error)[:200]})", fix=FIX) from error


def _read(view: mmap.mmap) -> object:
    if view[:4] == ZIP_START:
        return _read_zip(view)
    if view[: len(LEGACY_START)] == LEGACY_START:
        return _read_legacy(view)
    raise ValueError(f"it begins with {view[:16]!r}")


def _read_zip(view: mmap.mmap) -> object:
    with zipfile.ZipFile(view) as archive:  # type: ignore[call-overload]  # a mmap is file enough
        members = {member.filename: member for member in archive.infolist()}
    pickles = [name for name in members if name.rpartition("/")[2] == "data.pkl"]
    if len(pickles) != 1:
        raise ValueError(f"the zip file holds {len(pickles)} files data.pkl instead of one")
    folder = pickles[0].removesuffix("data.pkl")
    if f"{folder}constants.pkl" in members:
        raise ValueError("it is a program (TorchScript), no weights")
    order = bytes(_member(view, members, f"{folder}byteorder")) if f"{folder}byteorder" in members else b"little"
    if order != sys.byteorder.encode():
        raise ValueError(f"its numbers are {order!r}-endian, those of this machine are not")

    @cache
    def data(key: str) -> memoryview:
        return _member(view, members, f"{folder}data/{key}")

    def find(dtype: torch.dtype, key: str, count: int) -> Storage:
        return Storage(dtype, count, _window(data(key), 0, count * dtype.itemsize))

    return _unpickler(find).load(io.BytesIO(_member(view, members, pickles[0])))


def _member(view: mmap.mmap, members: Mapping[str, zipfile.ZipInfo], name: str) -> memoryview:
    """The bytes of a member, which torch never compresses, after a look at their checksum."""
    if name not in members:
        raise ValueError(f"{name} is missing")
    member = members[name]
    if member.compress_type != zipfile.ZIP_STORED:
        raise ValueError(f"{name} is compressed, which torch never does")
    start, header = member.header_offset, memoryview(view)
    signature, name_length, extra = LOCAL_HEADER.unpack(_window(header, start, LOCAL_HEADER.size))
    if signature != ZIP_START:
        raise ValueError(f"{name} is not where the zip file says")
    data = _window(header, start + LOCAL_HEADER.size + name_length + extra, member.file_size)
    if zlib.crc32(data) != member.CRC:
        raise ValueError(f"{name} is not what was written, by its checksum")
    return data


def _read_legacy(view: mmap.mmap) -> object:
    """Where the storages lie is told behind the pickle that uses them, so that is read twice."""
    plain = Unpickler()
    if [plain.load(view), plain.load(view)] != [MAGIC, VERSION]:
        raise ValueError("it is of an unknown version")
    machine = plain.load(view)
    if not isinstance(machine, dict) or machine.get("little_endian") is not (sys.byteorder == "little"):
        raise ValueError("its numbers are in the byte order of another machine")
    start, known = view.tell(), dict[str, Storage]()

    def declare(dtype: torch.dtype, key: str, count: int) -> Storage:
        return known.setdefault(key, Storage(dtype, count, None))

    _unpickler(declare).load(view)
    keys = plain.load(view)
    if not isinstance(keys, list) or any(type(key) is not str for key in keys) or set(keys) != set(known):
        raise ValueError("its storages are not those that its tensors use")
    found = _storages(view, {key: known[key] for key in keys})

    def find(_dtype: torch.dtype, key: str, _count: int) -> Storage:
        return found[key]

    view.seek(start)
    return _unpickler(find).load(view)


def _storages(view: mmap.mmap, known: Mapping[str, Storage]) -> dict[str, Storage]:
    """The storages that lie from here on, each behind its count."""
    whole, offset, found = memoryview(view), view.tell(), dict[str, Storage]()
    for key, storage in known.items():
        (count,) = COUNT.unpack(_window(whole, offset, COUNT.size))
        if count != storage.count:
            raise ValueError(f"storage {key} has {count} numbers instead of {storage.count}")
        offset += COUNT.size
        size = count * storage.dtype.itemsize
        found[key] = Storage(storage.dtype, count, _window(whole, offset, size))
        offset += size
    return found


def _window(data: memoryview, start: int, size: int) -> memoryview:
    if start < 0 or size < 0 or start + size > len(data):
        raise ValueError(f"it ends before {start + size:,} bytes: it was cut off")
    return data[start : start + size]


def _unpickler(find: Find) -> Unpickler:
    def outside(label: Any) -> object:
        if type(label) is not tuple or len(label) < 4:
            raise TypeError("it keeps something unknown outside of its pickle")
        kind, what, key, *_ = label
        if kind == "module" and isinstance(what, Global):  # how old files name a class, with its source
            return what
        count, view = (*label[4:6], None, None)[:2]  # only very old files had views of a storage
        if kind != "storage" or not isinstance(what, Global) or what.name not in DTYPES:
            raise TypeError("it keeps something else than numbers outside of its pickle")
        if type(key) is not str or type(count) is not int or count < 0 or view is not None:
            raise TypeError("it describes a storage in an unknown way")
        return find(DTYPES[what.name], key, count)

    makers: dict[str, Maker] = {
        "collections.OrderedDict": _ordered,
        "torch._utils._rebuild_tensor_v2": _tensor,
        "torch._utils._rebuild_parameter": lambda data, *_: data,
    }
    return Unpickler(NAMES, PACKAGES, makers, outside)


def _ordered(pairs: Any = ()) -> OrderedDict[object, object]:
    made = OrderedDict[object, object]()
    for key, value in pairs:
        put(made, key, value)
    return made


def _tensor(storage: Any, offset: Any, shape: Any, stride: Any, *_: Any) -> Tensor:
    """A window on the storage; `shape` and `stride` count numbers, as torch's do. Nothing of it can be trusted."""
    if type(storage) is not Storage or type(shape) is not tuple or type(stride) is not tuple:
        raise TypeError("a tensor is described in an unknown way")
    numbers = (offset, *shape, *stride)
    if len(shape) > MOST_DIMENSIONS or any(type(number) is not int or number < 0 for number in numbers):
        raise TypeError("a tensor is described by strange numbers")
    count = math.prod(shape)
    last = offset + sum((size - 1) * step for size, step in zip(shape, stride, strict=True))
    if count > storage.count or (count and last >= storage.count):
        raise ValueError(f"a tensor claims {count:,} numbers of a storage that has {storage.count:,}")
    if storage.data is None or count == 0:
        return torch.empty(0 if count else shape, dtype=storage.dtype)
    return torch.frombuffer(storage.data, dtype=storage.dtype).as_strided(shape, stride, offset)
