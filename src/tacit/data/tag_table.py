"""Tags from CSV files: a header, then a line for every photograph, or for every tag of it.

The column of file names is called file, filename, file_name, image or path. What stands beside it has three forms:

    file,label        cat.jpg,cat          the whole cell is one tag (also: tag, class, category); a file that comes
                                           again has several, and where none does tags are single: top-1 is scored
    file,labels       sea.jpg,beach|sea    tags with |, ; or a comma between them (also: tags, classes, categories)
    file,beach,sea    sea.jpg,1,0          a column for every tag: 1 there, 0 not there, empty unknown

Cells are parted by commas, semicolons or tabs. A column `split` may name train, val or test. File names are relative to
the CSV file, to `images` beside it, or to a folder in these that is called like the split. A path is one CSV file, or a
folder of them: one for each split (`train.csv`, `val.csv`), or one of any name.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path, PurePosixPath

from tacit.data.folders import escapes, find_file
from tacit.data.intake import Intake, Splits
from tacit.data.sample import Dataset, Fault
from tacit.data.tags import TagLabels, tagged
from tacit.errors import DataError

FILE = frozenset({"file", "filename", "file_name", "image", "path"})
ONE = frozenset({"label", "tag", "class", "category"})
MANY = frozenset({"labels", "tags", "classes", "categories"})
SPLIT = frozenset({"split"})
LONGEST = 200  # letters of a tag
_FORMS = "columns for the file and its label, its labels (a|b), or 0 and 1 for every tag"
_FLAGS = {"1": True, "1.0": True, "0": False, "0.0": False, "": None}
_SPLIT_NAME = re.compile(r"train|val|dev|test", re.IGNORECASE)
_BETWEEN = re.compile(r"[|;,]")


@dataclass
class _Photo:
    """A photograph as a table has it: its first line, its split, its tags, and those of which something is said."""

    line: int
    split: str
    there: set[str]
    said: set[str]


@dataclass(frozen=True)
class _Header:
    """Which column holds what. Without a column of labels, `flags` are those of single tags."""

    names: tuple[str, ...]
    file: int
    split: int | None
    label: int | None
    flags: tuple[int, ...]
    passed_over: tuple[str, ...]

    @property
    def whole(self) -> bool:
        """Whether a cell is one label, and a file may come again with another."""
        return self.label is not None and self.names[self.label].lower() in ONE


@dataclass
class _Table:
    """One CSV file: its photographs by name, and its faults by split."""

    file: Path
    split: str  # of the lines that name none
    header: _Header
    photos: dict[str, _Photo] = field(default_factory=dict)
    faults: list[tuple[str, Fault]] = field(default_factory=list)

    @property
    def single(self) -> bool:
        return self.header.whole and all(len(photo.there) == 1 for photo in self.photos.values())

    def fault(self, split: str, line: int, reason: str, lost: str) -> None:
        self.faults.append((split, Fault(f"{self.file}:{line}", reason, lost)))

    def add(self, line: int, cells: Sequence[str]) -> None:
        """One line of the table."""
        if len(cells) != len(self.header.names):
            self.fault(self.split, line, f"has {len(cells)} cells under {len(self.header.names)} columns", "image")
            return
        split = (cells[self.header.split].strip() if self.header.split is not None else "") or self.split
        name, (there, said) = cells[self.header.file].strip(), self._tags(split, line, cells)
        if not name or escapes(name):
            self.fault(split, line, f"{name!r} leads out of the dataset" if name else "names no file", "image")
        elif not said:
            self.fault(split, line, f"{name!r} has no label, left out", "image")
        else:
            self._put(str(PurePosixPath(name)), _Photo(line, split, there, said))

    def _put(self, name: str, photo: _Photo) -> None:
        before = self.photos.setdefault(name, photo)
        if before is photo:
            return
        if before.split != photo.split:
            reason, lost = f"{name!r} is in the split {before.split!r} already, left out", "image"
        elif photo.there <= before.there and photo.said <= before.said:
            reason, lost = f"{name!r} says the same as in line {before.line}", "nothing"
        elif not self.header.whole:
            reason, lost = f"{name!r} has other labels in line {before.line}, which count", "label"
        else:
            before.there |= photo.there
            before.said |= photo.said
            return
        self.fault(photo.split, photo.line, reason, lost)

    def _tags(self, split: str, line: int, cells: Sequence[str]) -> tuple[set[str], set[str]]:
        """The tags that are there, and those of which something is said."""
        if self.header.label is None:
            flags = {self.header.names[i]: _FLAGS.get(cells[i].strip()) for i in self.header.flags}
            wrong = [cells[i].strip() for i in self.header.flags if cells[i].strip() not in _FLAGS]
            if wrong:
                self.fault(split, line, f"{wrong[0][:40]!r} is neither 0 nor 1, left out", "label")
            return {name for name, flag in flags.items() if flag}, {k for k, flag in flags.items() if flag is not None}
        cell = cells[self.header.label].strip()
        found = [cell] if self.header.whole else [part.strip() for part in _BETWEEN.split(cell)]
        kept = {name for name in found if 0 < len(name) <= LONGEST}
        if kept and len(kept) < len(set(found)):
            self.fault(split, line, f"an empty label, or one of more than {LONGEST} letters, left out", "label")
        return kept, kept


def splits(path: Path) -> Splits:
    """What tables there are at `path`, by split; empty when there is none. Raises DataError for a faulty one."""
    if path.suffix.lower() == ".csv" and path.is_file():
        files = [path]
    else:
        files = [file for file in sorted(path.glob("*.csv")) if _is_table(file)] if path.is_dir() else []
    tables = [_load(file, _split(file, alone=len(files) == 1)) for file in files]
    found = dict.fromkeys(photo.split for table in tables for photo in table.photos.values())
    if files and not found:
        raise DataError(f"{path} names no photograph with a label", allowed=_FORMS, fix="export it again")
    return {split: partial(_read, path, split, tables) for split in found}


def _read(root: Path, split: str, tables: Sequence[_Table], _min_score: float) -> Dataset:
    photos = [photo for table in tables for photo in table.photos.values()]
    names = tuple(sorted({name for photo in photos for name in photo.said}))
    if len(names) == 1 and all(photo.there for photo in photos):
        raise DataError(f"{root} has one class only, {names[0]!r}", allowed="two or more", fix="add another class")
    intake, single = Intake(), all(table.single for table in tables)
    for table in tables:
        intake.faults.extend(fault for where, fault in table.faults if where == split)
        _take(intake, table, split, names, single=single)
    return intake.dataset(root, "CSV", split, {})


def _take(intake: Intake, table: _Table, split: str, names: tuple[str, ...], *, single: bool) -> None:
    beside = (table.file.parent, table.file.parent / "images")
    folders = (*beside, *(folder / split for folder in beside))
    for name, photo in table.photos.items():
        if photo.split != split:
            continue
        path = find_file(folders, name)
        if path is None:
            intake.fault(f"{table.file}:{photo.line}", f"the image {name!r} is missing", "image")
        elif (header := intake.photograph(path)) is not None:
            said = names if table.header.label is not None else tuple(tag for tag in names if tag in photo.said)
            labels = TagLabels(frozenset(photo.there), said, single)
            intake.samples.append(tagged(path, header, len(intake.samples) + 1, labels))


def _split(file: Path, *, alone: bool) -> str:
    return "all" if alone and not _SPLIT_NAME.match(file.stem) else file.stem


def _is_table(file: Path) -> bool:
    """Whether the first line names a column of files, as that of another program's table need not."""
    if not file.is_file():
        return False
    with file.open(encoding="utf-8-sig", errors="replace") as opened:
        first = opened.readline(1 << 16)
    return bool(FILE & {name.strip(' "\r\n').lower() for name in first.split(_delimiter(first))})


def _load(file: Path, split: str) -> _Table:
    rows = _rows(file)
    if not rows:
        raise DataError(f"{file} is empty", allowed=_FORMS, fix="export it again")
    header = _header(file, rows[0][1], rows[1][1] if len(rows) > 1 else ())
    table = _Table(file, split, header)
    if header.passed_over:
        table.fault(split, rows[0][0], f"the columns {', '.join(header.passed_over)} are passed over", "nothing")
    for line, cells in rows[1:]:
        table.add(line, cells)
    return table


def _rows(file: Path) -> list[tuple[int, list[str]]]:
    """(line number, cells) of the lines that are not blank."""
    try:
        text = file.read_text(encoding="utf-8-sig")
        reader = csv.reader(io.StringIO(text, newline=""), delimiter=_delimiter(text.partition("\n")[0]))
        return [(reader.line_num, cells) for cells in reader if any(cell.strip() for cell in cells)]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise DataError(f"{file} is no sound CSV: {error}"[:300], allowed="UTF-8", fix="export it again") from error


def _delimiter(line: str) -> str:
    return max(",;\t", key=line.count)


def _header(file: Path, cells: Sequence[str], first: Sequence[str]) -> _Header:
    """Raises DataError where the columns are none of the three forms; `first` is the line below."""
    names = tuple(cell.strip() for cell in cells)
    low = [name.lower() for name in names]
    files, chosen, labels = ([i for i, name in enumerate(low) if name in kind] for kind in (FILE, SPLIT, ONE | MANY))
    others = [i for i in range(len(names)) if i not in {*files, *chosen, *labels}]
    flags = () if labels else tuple(others)
    sound = len(files) == 1 and len(chosen) <= 1 and len(labels) <= 1 and len(set(names)) == len(names)
    told = bool(labels) or bool(flags and all(names[i] for i in flags) and _all_flags(first, flags))
    if not sound or not told:
        raise DataError(
            f"{file} has the columns {', '.join(names)}"[:300], allowed=_FORMS,
            fix="call the columns file and label, or file and labels",
        )  # fmt: skip
    passed_over = tuple(names[i] or "without a name" for i in others) if labels else ()
    return _Header(names, files[0], next(iter(chosen), None), next(iter(labels), None), flags, passed_over)


def _all_flags(cells: Sequence[str], flags: Sequence[int]) -> bool:
    return all(cells[i].strip() in _FLAGS for i in flags if i < len(cells))
