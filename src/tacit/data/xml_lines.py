"""A small XML tree that remembers lines and admits no document type, hence no entities and no outside files."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from xml.parsers import expat

from tacit.errors import DataError


@dataclass
class Element:
    """One element: its tag, the line it begins on, its own text and its children."""

    tag: str
    line: int
    text: str = ""
    children: list[Element] = field(default_factory=list)

    def find_all(self, tag: str) -> Iterator[Element]:
        return (child for child in self.children if child.tag == tag)

    def find(self, *tags: str) -> Element | None:
        """The first child of that tag, and its first child of the next tag, and so on."""
        if not tags:
            return self
        child = next(self.find_all(tags[0]), None)
        return child.find(*tags[1:]) if child else None

    def text_of(self, *tags: str) -> str:
        """The text found under `tags`, stripped; empty when there is none."""
        found = self.find(*tags)
        return found.text.strip() if found else ""


class _DocumentTypeError(Exception):
    pass


def load_xml(path: Path) -> Element:
    """The root element of the file. Raises DataError with the line."""
    parser, root = expat.ParserCreate(), Element("", 0)
    _connect(parser, root)
    try:
        parser.Parse(path.read_bytes(), True)
    except OSError as error:
        raise DataError(f"{path} cannot be read: {error.strerror}", fix="check its permissions") from error
    except _DocumentTypeError as error:
        raise DataError(
            f"{path}:{parser.CurrentLineNumber} declares a document type, which may hide entity bombs",
            allowed="plain XML", fix="remove the DOCTYPE",
        ) from error  # fmt: skip
    except (expat.ExpatError, ValueError, LookupError) as error:  # the latter two: an unknown encoding
        raise DataError(
            f"{path}:{parser.ErrorLineNumber} is no XML: {error}", fix="repair or export it again"
        ) from error
    return root.children[0]


def _connect(parser: expat.XMLParserType, root: Element) -> None:
    """Lets the parser build the tree under `root`."""
    stack: list[Element] = [root]
    pieces: list[list[str]] = [[]]  # of each open element's text: joined once, or a long one takes quadratic time
    parser.buffer_text = True

    def start(tag: str, _attributes: dict[str, str]) -> None:
        element = Element(tag, parser.CurrentLineNumber)
        stack[-1].children.append(element)
        stack.append(element)
        pieces.append([])

    def end(_tag: str) -> None:
        stack.pop().text = "".join(pieces.pop())

    def text(data: str) -> None:
        pieces[-1].append(data)

    def refuse(*_declaration: object) -> None:
        raise _DocumentTypeError

    parser.StartElementHandler, parser.EndElementHandler, parser.CharacterDataHandler = start, end, text
    parser.StartDoctypeDeclHandler = refuse
