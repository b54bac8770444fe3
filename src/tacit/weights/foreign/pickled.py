"""A pickle read as plain data: nothing that it names is imported, nothing that it asks for is called.

Python's own unpickler calls what the pickle tells it to. Here a name stays a name (`Global`), and an object of a
foreign class becomes an `Inert`: that name, and what the object was made of. The few things that are really made,
tensors and ordered dictionaries, come from `makers`, functions of ours. `pickletools` takes the opcodes apart.
"""

from __future__ import annotations

import pickletools
from collections import OrderedDict
from collections.abc import Callable, Mapping, Set
from dataclasses import dataclass
from typing import Any, Protocol, TypeAlias, TypeVar, runtime_checkable

T = TypeVar("T")
Maker: TypeAlias = Callable[..., object]
MALFORMED = (ValueError, TypeError, IndexError, KeyError, OverflowError, MemoryError, AssertionError, Warning)
"""What reading a pickle raises that is none; pickletools warns of odd escapes, and warnings may be errors."""

LITERALS = {
    "BININT", "BININT1", "BININT2", "LONG1", "LONG4", "BINFLOAT", "BINUNICODE", "SHORT_BINUNICODE", "BINUNICODE8",
    "BINSTRING", "SHORT_BINSTRING", "BINBYTES", "SHORT_BINBYTES", "BINBYTES8",
}  # fmt: skip
CONSTANTS = {"NONE": None, "NEWTRUE": True, "NEWFALSE": False}
EMPTY: dict[str, Callable[[], object]] = {
    "EMPTY_TUPLE": tuple, "EMPTY_LIST": list, "EMPTY_DICT": dict,
    "EMPTY_SET": list,  # a set would ask its members, which may be nested without end, for their hash
}  # fmt: skip
TUPLES = {"TUPLE1": 1, "TUPLE2": 2, "TUPLE3": 3}


@runtime_checkable
class Readable(Protocol):
    """A file, or a part of one, at its next byte."""

    def read(self, size: int = ..., /) -> bytes: ...
    def readline(self) -> bytes: ...
    def tell(self) -> int: ...


class RefusedError(Exception):
    """The pickle asks for something that no checkpoint needs; the message is its full name."""


@dataclass(frozen=True)
class Global:
    """A class or a function that the pickle names."""

    name: str


@dataclass(eq=False)
class Inert:
    """What stands for an object of a foreign class: an attribute bag, no more."""

    name: str
    arguments: object = ()
    state: object = None

    def get(self, attribute: str) -> Any:
        """An attribute that the object had, or None."""
        return self.state.get(attribute) if isinstance(self.state, dict) else None


class Unpickler:
    """Reads pickles of protocol 2 to 4.

    Only `names`, and those that begin with one of `packages`, may occur at all; `makers` holds the functions behind
    some of them; `outside` turns what the pickle keeps elsewhere (torch's storages) into an object. Without any of it
    a pickle is numbers, text and containers. `load` raises RefusedError and MALFORMED.
    """

    def __init__(
        self,
        names: Set[str] = frozenset(),
        packages: tuple[str, ...] = (),
        makers: Mapping[str, Maker] | None = None,
        outside: Callable[[Any], object] | None = None,
    ) -> None:
        self._names, self._packages, self._makers, self._find = names, packages, makers or {}, outside
        self._rules: dict[str, Callable[[Any], None]] = {
            "PROTO": self._nothing, "FRAME": self._nothing, "STOP": self._nothing,
            "MARK": self._mark, "TUPLE": self._tuple, "APPEND": self._append, "APPENDS": self._extend,
            "ADDITEMS": self._extend, "SETITEM": self._set_item, "SETITEMS": self._set_items,
            "GLOBAL": self._global, "STACK_GLOBAL": self._stack_global, "REDUCE": self._reduce,
            "NEWOBJ": self._reduce, "BUILD": self._build, "BINPERSID": self._outside,
            "BINPUT": self._put, "LONG_BINPUT": self._put, "MEMOIZE": self._memoize,
            "BINGET": self._get, "LONG_BINGET": self._get,
        }  # fmt: skip

    def load(self, file: Readable) -> object:
        """The object of the pickle that starts at the file's next byte; leaves the file behind it."""
        self._stack: list[Any] = []
        self._marked: list[list[Any]] = []  # the stacks below each mark
        self._memo: dict[int, Any] = {}
        for opcode, argument, _ in pickletools.genops(file):  # type: ignore[arg-type]  # a mmap does
            self._step(opcode.name, argument)
        return self._stack.pop()

    def _step(self, name: str, argument: Any) -> None:
        if name in LITERALS:
            self._stack.append(argument)
        elif name in CONSTANTS:
            self._stack.append(CONSTANTS[name])
        elif name in EMPTY:
            self._stack.append(EMPTY[name]())
        elif name in TUPLES:
            self._stack[-TUPLES[name] :] = [tuple(self._take(TUPLES[name]))]
        elif name in self._rules:
            self._rules[name](argument)
        else:
            raise ValueError(f"pickles of torch have no opcode {name}")

    def _take(self, count: int) -> list[Any]:
        if len(self._stack) < count:
            raise IndexError("the pickle's stack is empty")
        return self._stack[-count:]

    def _nothing(self, _: Any) -> None:
        """Of no meaning to us."""

    def _mark(self, _: Any) -> None:
        self._marked.append(self._stack)
        self._stack = []

    def _since_mark(self) -> list[Any]:
        items, self._stack = self._stack, self._marked.pop()
        return items

    def _tuple(self, _: Any) -> None:
        items = tuple(self._since_mark())
        self._stack.append(items)

    def _append(self, _: Any) -> None:
        item = self._stack.pop()
        _of(list, self._stack[-1]).append(item)

    def _extend(self, _: Any) -> None:
        items = self._since_mark()
        _of(list, self._stack[-1]).extend(items)

    def _set_item(self, _: Any) -> None:
        value, key = self._stack.pop(), self._stack.pop()
        put(self._stack[-1], key, value)

    def _set_items(self, _: Any) -> None:
        items = self._since_mark()
        for key, value in zip(items[::2], items[1::2], strict=True):
            put(self._stack[-1], key, value)

    def _global(self, argument: str) -> None:
        name = argument.replace(" ", ".")
        if name not in self._names and not name.startswith(self._packages):
            raise RefusedError(name)
        self._stack.append(Global(name))

    def _stack_global(self, _: Any) -> None:
        name, module = self._stack.pop(), self._stack.pop()
        self._global(f"{_of(str, module)} {_of(str, name)}")

    def _reduce(self, _: Any) -> None:
        arguments, name = _of(tuple, self._stack.pop()), _of(Global, self._stack.pop()).name
        make = self._makers.get(name)
        self._stack.append(make(*arguments) if make else Inert(name, arguments))

    def _build(self, _: Any) -> None:
        state, built = self._stack.pop(), self._stack[-1]
        if isinstance(built, Inert):
            built.state = state
        else:
            _of(OrderedDict, built)  # torch hangs versions of modules on a state dict: of no use to us

    def _outside(self, _: Any) -> None:
        if self._find is None:
            raise TypeError("it keeps something outside of a pickle that has no need to")
        self._stack.append(self._find(self._stack.pop()))

    def _put(self, index: int) -> None:
        self._memo[index] = self._stack[-1]

    def _memoize(self, _: Any) -> None:
        self._put(len(self._memo))

    def _get(self, index: int) -> None:
        self._stack.append(self._memo[index])


def put(target: object, key: object, value: object) -> None:
    """`target[key] = value` for a plain dictionary and a plain key: the hash of nested tuples may have no end."""
    if type(target) not in {dict, OrderedDict} or type(key) not in {str, int}:
        raise TypeError(f"a {type(key).__name__} is put into a {type(target).__name__}")
    target[key] = value  # type: ignore[index]


def _of(kind: type[T], value: object) -> T:
    if type(value) is not kind:
        raise TypeError(f"a {type(value).__name__} stands in the place of a {kind.__name__}")
    return value
