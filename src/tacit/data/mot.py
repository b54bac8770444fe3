"""Films with numbered individuals, as MOTChallenge keeps them: a folder with `img1/000001.jpg`, ..., `gt/gt.txt` and
`seqinfo.ini`, several such folders, or folders train, val, test of them (those without gt are passed over).

A line of gt.txt is `frame, individual, left, top, width, height, flag, class, visibility`, all counted from 1
(arXiv 1603.00831, table 5); in files without a class (not nine columns) everybody is a pedestrian. Pedestrians with
flag 1 are labelled persons. Persons that are not to be counted (flag 0, on vehicles, static, reflections) become
crowds; what is no person is left out, with a note.

Without splits, or with train alone, a fifth of the films is held out; of a single film, its last fifth.
"""

from __future__ import annotations

import configparser
import math
import re
import zlib
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import numpy as np

from tacit.data.folders import escapes
from tacit.data.identities import UNKNOWN, IdentityLabels, Shot, number_of
from tacit.data.images import SUFFIXES, Header
from tacit.data.intake import BoxLabel, Intake, Splits
from tacit.data.sample import Dataset

HELD_OUT = 5
_COLUMNS = range(6, 11)
_WITH_CLASS = 9
_PEDESTRIAN, _UNCOUNTED = 1, frozenset({2, 7, 8, 12})  # a person on a vehicle, static, a distractor, a reflection
_DETECTOR = re.compile(r"-(DPM|FRCNN|SDP)$")  # MOT17 has every film three times, for three detectors


@dataclass(frozen=True)
class _Film:
    """The folder of a film, and which part of its frames, from where to where."""

    folder: Path
    part: tuple[float, float] = (0.0, 1.0)

    @property
    def labels(self) -> Path:
        return self.folder / "gt" / "gt.txt"


@dataclass(frozen=True)
class _Line:
    """One line of gt.txt: whose box (xyxy in pixels) in which frame."""

    place: int
    frame: int
    individual: int
    box: tuple[float, float, float, float]
    crowd: bool


def splits(path: Path) -> Splits:
    """The films at `path`, by split; empty when there are none."""
    if not path.is_dir():
        return {}
    found = {folder: films for folder in ("train", "val", "test") if (films := _films(path / folder))}
    alone = [_Film(path)] if _Film(path).labels.is_file() else _films(path)
    if alone or list(found) == ["train"]:
        found = _held_out(alone or found["train"])
    return {split: partial(_read, path, split, films) for split, films in found.items()}


def _films(folder: Path) -> list[_Film]:
    inside = sorted(folder.iterdir()) if folder.is_dir() else []
    return [film for film in map(_Film, inside) if film.labels.is_file()]


def _held_out(films: list[_Film]) -> dict[str, list[_Film]]:
    names = sorted({_name(film) for film in films}, key=lambda name: (zlib.crc32(name.encode()), name))
    if len(names) > 1:
        held = set(names[: max(1, len(names) // HELD_OUT)])
        return {
            "train": [film for film in films if _name(film) not in held],
            "val": [film for film in films if _name(film) in held],
        }
    start = 1 - 1 / HELD_OUT
    return {
        "train": [_Film(film.folder, (0.0, start)) for film in films],
        "val": [_Film(film.folder, (start, 1.0)) for film in films],
    }


def _name(film: _Film) -> str:
    """The same for the three copies that MOT17 has of a film."""
    return _DETECTOR.sub("", film.folder.name).encode(errors="replace").decode()


def _read(root: Path, split: str, films: list[_Film], _min_score: float) -> Dataset:
    reading, before = _Reading(), set[str]()
    for film in films:
        if _name(film) in before:
            reading.intake.fault(str(film.folder), f"is {_name(film)} once more, counted once", "nothing")
        else:
            reading.film(film)
        before.add(_name(film))
    return reading.intake.dataset(root, "MOT", split, {1: "person"})


@dataclass
class _Reading:
    intake: Intake = field(default_factory=Intake)

    def film(self, film: _Film) -> None:
        frames = self._frames(film)
        lines = self._lines(film.labels)
        for number in sorted(set(lines) - set(frames)):
            self.intake.fault(str(film.labels), f"labels frame {number}, which is not there", "image")
        first, last = (round(share * len(frames)) for share in film.part)
        for number, photo in sorted(frames.items())[first:last]:
            self._frame(film, number, photo, lines.get(number, []))

    def _frames(self, film: _Film) -> dict[int, Path]:
        """The photographs by their numbers."""
        info, frames = self._info(film.folder / "seqinfo.ini"), dict[int, Path]()
        folder = film.folder / info.get("imdir", "img1")
        inside = sorted(folder.iterdir()) if folder.is_dir() and not escapes(info.get("imdir", "")) else []
        for photo in (path for path in inside if path.suffix.lower() in SUFFIXES and path.is_file()):
            if photo.stem.isdecimal() and len(photo.stem) < 19:
                frames[int(photo.stem)] = photo
            else:
                self.intake.fault(str(photo), "its name is no number of a frame, left out", "image")
        stated = info.get("seqlength", "")
        if stated.isdecimal() and stated != str(len(frames)):
            self.intake.fault(str(film.folder), f"should have {stated[:9]} frames, {len(frames)} are there", "nothing")
        return frames

    def _info(self, file: Path) -> dict[str, str]:
        if not file.is_file():
            return {}
        parser = configparser.ConfigParser(interpolation=None, strict=False)
        try:
            parser.read_string(file.read_text(encoding="utf-8", errors="replace"))
        except configparser.Error:
            self.intake.fault(str(file), "is no list of settings, passed over", "nothing")
        return dict(parser["Sequence"]) if parser.has_section("Sequence") else {}

    def _lines(self, file: Path) -> dict[int, list[_Line]]:
        """By frame, each individual once."""
        lines, others, before = defaultdict[int, list[_Line]](list), 0, set[tuple[int, int]]()
        for place, text in enumerate(file.read_text(encoding="utf-8", errors="replace").splitlines(), start=1):
            if not text.strip():
                continue
            line = _line(place, text)
            if isinstance(line, str):
                self.intake.fault(f"{file}:{place}", line, "label")
            elif line is None:
                others += 1
            elif not line.crowd and (line.frame, line.individual) in before:
                reason = f"individual {line.individual} is twice in frame {line.frame}, left out"
                self.intake.fault(f"{file}:{place}", reason, "label")
            else:
                lines[line.frame].append(line)
                before |= set() if line.crowd else {(line.frame, line.individual)}
        if others:
            self.intake.fault(str(file), f"{others} boxes that are of no person, left out", "nothing")
        return lines

    def _frame(self, film: _Film, number: int, photo: Path, lines: list[_Line]) -> None:
        header = self.intake.photograph(photo)
        if header is None:
            return
        name = _name(film)
        who = [
            UNKNOWN if line.crowd else number_of(str(film.folder.parent), name, str(line.individual)) for line in lines
        ]
        labels = IdentityLabels(np.array(who, np.int64), shot=Shot(str(film.folder), number))
        self.intake.add(
            photo,
            header,
            len(self.intake.samples) + 1,
            [_boxed(line, header) for line in lines],
            lambda place: f"{film.labels}:{place}",
            beside=lambda _width, _height: [labels],
        )


def _line(place: int, text: str) -> _Line | str | None:
    """What a line says; what is wrong with it; or None where it is of no person."""
    values = text.split(",")
    if len(values) not in _COLUMNS:
        return f"has {len(values)} columns, not frame, individual, left, top, width, height, flag, class, visibility"
    try:
        numbers = [float(value) for value in values]
    except ValueError:
        return "holds something that is no number, left out"
    frame, individual, left, top, width, height, *rest = numbers
    if not _counts((frame, individual)):
        return f"frame {frame:g} or individual {individual:g} is no whole number, left out"
    kind = rest[1] if len(values) == _WITH_CLASS else _PEDESTRIAN
    if kind not in {_PEDESTRIAN, *_UNCOUNTED}:
        return None
    crowd = kind != _PEDESTRIAN or (bool(rest) and rest[0] == 0)
    return _Line(place, int(frame), int(individual), (left - 1, top - 1, left - 1 + width, top - 1 + height), crowd)


def _counts(values: Iterable[float]) -> bool:
    return all(math.isfinite(value) and value == int(value) and 0 <= value < 2**53 for value in values)


def _boxed(line: _Line, header: Header) -> BoxLabel:
    """The part inside the picture: these boxes go around whole persons, and on beyond its edge."""
    x0, y0, x1, y1 = line.box
    left, top, right, bottom = max(x0, 0.0), max(y0, 0.0), min(x1, float(header.width)), min(y1, float(header.height))
    sound = all(map(math.isfinite, line.box)) and right - left > 1 < bottom - top
    box = (left, top, right, bottom) if sound else line.box
    return BoxLabel(box, 0, line.place, f"individual {line.individual}", crowd=line.crowd)
