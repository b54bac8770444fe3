"""On which line of a JSON file an element of a list begins.

Python's parser forgets lines; they are wanted only for faults, so the text is walked a second time, then.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from functools import cached_property
from pathlib import Path
from typing import Any

from tacit.errors import DataError

_BETWEEN = re.compile(r"[\s,:]*")  # what may stand between two values of JSON that has parsed
_decode = json.JSONDecoder().raw_decode


class JsonFile:
    """A parsed JSON file, `content`, that can tell where the elements of its top-level lists stand."""

    def __init__(self, path: Path) -> None:
        """Raises DataError with the line when the file is missing or is no JSON."""
        self.path = path
        try:
            self.content = json.loads(_text(path))
        except json.JSONDecodeError as error:
            raise DataError(
                f"{path}:{error.lineno} is no JSON: {error.msg}", fix="repair or export it again"
            ) from error
        except (ValueError, RecursionError) as error:  # a number of thousands of digits; brackets without end
            raise DataError(f"{path} is no sound JSON: {error}", fix="repair or export it again") from error

    def rows(self, key: str) -> list[Any]:
        """The top-level list of that name. Raises DataError when there is none."""
        found = self.content.get(key) if isinstance(self.content, dict) else None
        if not isinstance(found, list):
            raise DataError(
                f"{self.path} has no list {key!r}", allowed="lists of images, annotations and categories",
                fix="export it as COCO JSON",
            )  # fmt: skip
        return found

    def ids(self, key: str) -> set[int]:
        """The ids of the elements of a list, as far as they are numbers. Raises DataError."""
        ids = (item.get("id") for item in self.rows(key) if isinstance(item, dict))
        return {number for number in ids if isinstance(number, int)}

    def place(self, key: str, index: int) -> str:
        """`file:line` of element `index` of the list `key`."""
        lines = self._lines.get(key, [])
        return f"{self.path}:{lines[index]}" if index < len(lines) else str(self.path)

    @cached_property
    def _lines(self) -> dict[str, list[int]]:
        text = _text(self.path)
        return {key: list(_line_numbers(text, start)) for key, start in _members(text) if text[start] == "["}


def _text(path: Path) -> str:
    try:
        text = path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise DataError(f"{path} cannot be read: {error.strerror}", fix="check the path and its permissions") from error
    except UnicodeDecodeError as error:
        raise DataError(f"{path} is no text in UTF-8", fix="save it as UTF-8") from error
    if not text.strip():
        raise DataError(f"{path} is empty", allowed="a COCO file", fix="export it again")
    return text


def _members(text: str) -> Iterator[tuple[str, int]]:
    """(key, where its value begins) of the object that is the whole text."""
    at = _next(text, text.index("{") + 1)
    while text[at] != "}":
        key, at = _decode(text, at)
        start = _next(text, at)
        yield key, start
        at = _next(text, _decode(text, start)[1])


def _line_numbers(text: str, start: int) -> Iterator[int]:
    """The line of every element of the list that begins at `start`."""
    line, counted, at = 1, 0, _next(text, start + 1)
    while text[at] != "]":
        line += text.count("\n", counted, at)
        counted = at
        yield line
        at = _next(text, _decode(text, at)[1])


def _next(text: str, at: int) -> int:
    between = _BETWEEN.match(text, at)
    assert between is not None  # it matches the empty string
    return between.end()
