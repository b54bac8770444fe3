"""From JSON to typed options and back, strictly: no unknown key, no value of another kind."""

from __future__ import annotations

from dataclasses import fields, is_dataclass
from difflib import get_close_matches
from enum import Enum
from pathlib import Path
from types import NoneType
from typing import Any, TypeVar, get_args, get_origin, get_type_hints

from tacit.errors import ConfigError

C = TypeVar("C")


def plain(value: Any) -> Any:
    """Paths and enums as JSON has them."""
    if isinstance(value, dict):
        return {key: plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    if isinstance(value, Enum):
        return value.value
    return str(value) if isinstance(value, Path) else value


def build(kind: type[C], values: Any, where: str) -> C:
    """A dataclass from JSON, strict about keys. Raises ConfigError for an unknown one, and names the nearest."""
    if not isinstance(values, dict):
        raise ConfigError(f"{where} is not a table of options")
    known = [f.name for f in fields(kind)]  # type: ignore[arg-type]  # only called with dataclasses
    for key in values:
        if key not in known:
            near = get_close_matches(key, known, n=1)
            hint = f"did you mean {near[0]!r}?" if near else ""
            raise ConfigError(f"{where} has no option {key!r}", allowed=", ".join(known), fix=hint)
    hints = get_type_hints(kind)
    return kind(**{key: _value(hints[key], value, key) for key, value in values.items()})


def _value(hint: Any, value: Any, name: str) -> Any:
    """One field from JSON. Raises ConfigError where the value is of another kind than the field."""
    if is_dataclass(hint):
        return build(hint, value, name)  # type: ignore[arg-type]
    if isinstance(hint, type) and issubclass(hint, Enum):
        allowed = [member.value for member in hint]
        if value not in allowed:
            raise ConfigError(f"{name}={value!r} is unknown", allowed=", ".join(allowed))
        return hint(value)
    if get_origin(hint) is tuple:
        _require_kind(isinstance(value, list), name, value, "a list")
        return tuple(_value(get_args(hint)[0], item, name) for item in value)
    if get_origin(hint) is dict:
        _require_kind(isinstance(value, dict), name, value, "a table")
        return {str(key): _value(get_args(hint)[1], item, name) for key, item in value.items()}
    if value is None and NoneType in get_args(hint):
        return None
    kind = next((part for part in get_args(hint) if part is not NoneType), hint)  # X of "X | None"
    if kind is Path:
        _require_kind(isinstance(value, str), name, value, "a path")
        return Path(value)
    right = isinstance(value, (int, float) if kind is float else kind) and (kind is bool or not isinstance(value, bool))
    _require_kind(right, name, value, kind.__name__)
    return value


def _require_kind(right: bool, name: str, value: Any, allowed: str) -> None:
    if not right:
        raise ConfigError(f"{name}={value!r} is of the wrong kind", allowed=allowed)


def separated(names: tuple[str, ...]) -> tuple[str, ...]:
    """`a,b c` and `a b c` alike."""
    return tuple(part.strip() for name in names for part in name.split(",") if part.strip())
