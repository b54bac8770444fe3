"""The `data.yaml` of a YOLO dataset: class names, and where the photographs of each split are."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from tacit.data.folders import is_there
from tacit.data.intake import require_distinct
from tacit.data.yolo_points import LinePoints, line_points
from tacit.errors import DataError

_USUAL = ("data.yaml", "data.yml", "dataset.yaml", "dataset.yml")
_HAS_NAMES = re.compile(r"^names\s*:", re.MULTILINE)
_SPLITS = ("train", "val", "valid", "validation", "dev", "test")
_ALLOWED = "names: [cat, dog] or names: {0: cat, 1: dog}"


@dataclass(frozen=True)
class DataYaml:
    """`names` by class id, in order; `splits` with what each names; `bases`, what those paths may be relative to."""

    file: Path
    names: dict[int, str]
    splits: dict[str, tuple[str, ...]]
    bases: tuple[Path, ...]
    points: LinePoints | None  # with which lines go on behind the box


def load_data_yaml(path: Path) -> DataYaml | None:
    """The `data.yaml` that `path` is or holds, None when there is none. Raises DataError."""
    file = _find(path)
    if file is None:
        return None
    config = _parse(file)
    bases = (file.parent / _texts(file, config.get("path") or "")[0], file.parent)
    splits = {name: _texts(file, config[name]) for name in _SPLITS if config.get(name)}
    return DataYaml(
        file=file,
        names=_names(file, config),
        splits={name: entries for name, entries in splits.items() if _stands(name, entries, bases)},
        bases=bases,
        points=line_points(file, config),
    )


def _find(path: Path) -> Path | None:
    if path.suffix.lower() in {".yaml", ".yml"}:
        return path
    usual = (path / name for name in _USUAL if (path / name).is_file())
    others = (file for file in sorted(path.glob("*.y*ml")) if file.is_file() and _names_classes(file))
    return next(usual, None) or next(others, None)


def _names_classes(file: Path) -> bool:
    return _HAS_NAMES.search(file.read_text(encoding="utf-8", errors="replace")) is not None


def _parse(file: Path) -> dict[str, Any]:
    try:
        # BaseLoader makes plain strings only: safer than safe, and a class called "no" stays one
        config = yaml.load(file.read_text(encoding="utf-8-sig"), Loader=yaml.BaseLoader)  # noqa: S506
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise DataError(
            f"{file}:{line} is no YAML: {error.problem}", allowed=_ALLOWED, fix="repair the line"
        ) from error
    except (OSError, UnicodeDecodeError, yaml.YAMLError, RecursionError) as error:
        raise DataError(f"{file} cannot be read as YAML", allowed=_ALLOWED, fix="save it as UTF-8 text") from error
    if not isinstance(config, dict):
        raise DataError(f"{file} has no names", allowed=_ALLOWED, fix="add the class names")
    return config


def _names(file: Path, config: dict[str, Any]) -> dict[int, str]:
    stated = config.get("names")
    if isinstance(stated, list):
        stated = dict(enumerate(stated))
    if not isinstance(stated, dict) or not stated:
        raise DataError(f"{file} has no names", allowed=_ALLOWED, fix="add the class names")
    texts = _texts(file, list(stated.values()))
    try:
        names = dict(zip(map(int, stated), texts, strict=True))
        count = int(config.get("nc") or len(texts))
    except (ValueError, TypeError) as error:
        raise DataError(f"{file} has a class number that is none", allowed=_ALLOWED, fix="repair it") from error
    if not count == len(texts) == len(names):
        raise DataError(f"{file} says nc: {count}, but has {len(names)} names", allowed=_ALLOWED, fix="make them agree")
    require_distinct(file, names)
    return dict(sorted(names.items()))


def _texts(file: Path, value: Any) -> tuple[str, ...]:
    """A text or a list of texts; nothing deeper, which aliases could make endless."""
    texts = tuple(value) if isinstance(value, list) else (value,)
    if not all(isinstance(text, str) for text in texts):
        raise DataError(
            f"{file} nests a list where a text is due", allowed="a text or a list of texts", fix="repair it"
        )
    return texts


def _stands(name: str, entries: tuple[str, ...], bases: tuple[Path, ...]) -> bool:
    """Whether a split is meant: templates name a test folder that nobody made; a missing train or val is an error."""
    return name != "test" or any(is_there(base / entry) for base in bases for entry in entries)
