"""Maps that stand in files of their own: PNG maps beside the photographs, and COCO's panoptic JSON.

PNG maps: the map of `.../images/a/b.jpg` is `.../maps/a/b.png`, one channel of 8 or 16 bits or a palette, of the
photograph's size; where no folder is called images, `x/b.jpg` has `maps/x/b.png` beside x. Line i of `maps/classes.txt`
(from 0) names the number i; a line "other" is what is none of the others. Without that file 0 is other, and 1, 2, ...
are the dataset's classes in their order. 255, and numbers without a name, are unknown.

Panoptic JSON: `annotations/panoptic_{split}.json` and the folder `annotations/panoptic_{split}`, whose PNG files hold
R + 256 G + 65536 B; things and stuff are classes alike, 0 is unknown.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from tacit.data.folders import escapes
from tacit.data.images import load_image, load_numbers
from tacit.data.json_lines import JsonFile
from tacit.data.maps import OTHER, UNKNOWN, MapSource, Meaning, Pixels, named, renumbered
from tacit.data.sample import Dataset, Fault
from tacit.data.segments import VOID, Segment, Segments, ids_of
from tacit.errors import DataError

NAMES = "classes.txt"
NOBODY = 255  # the number that maps of 8 bits keep for what is unknown


@dataclass(frozen=True, eq=False)
class PictureMap(MapSource):
    """A PNG map; `listed` is what its numbers mean."""

    path: Path
    listed: tuple[Meaning, ...]

    @property
    def meanings(self) -> tuple[Meaning, ...]:
        return self.listed

    @property
    def names(self) -> tuple[str, ...]:
        return named(self.listed)

    def pixels(self) -> Pixels:
        numbers = load_numbers(self.path)
        return np.where(numbers == NOBODY, np.uint16(UNKNOWN), renumbered(numbers, range(len(self.listed))))


@dataclass(frozen=True, eq=False)
class PanopticMap(MapSource):
    """A panoptic PNG and its segments; `classes` are all that its file knows."""

    path: Path
    listed: tuple[Segment, ...]
    classes: tuple[str, ...]

    @property
    def meanings(self) -> tuple[Meaning, ...]:
        return self.classes

    @property
    def names(self) -> tuple[str, ...]:
        return self.classes

    def pixels(self) -> Pixels:
        """Crowds are of their class as well: panoptic crowds are tight around what they mean."""
        ids = ids_of(load_image(self.path))
        place = {VOID: UNKNOWN} | {one.id: self.classes.index(one.name) for one in self.listed if one.name is not None}
        numbers = np.array(sorted(place), np.int64)
        at = np.searchsorted(numbers, ids).clip(max=len(numbers) - 1)
        table = np.array([place[number] for number in numbers.tolist()], np.uint16)
        return np.where(numbers[at] == ids, table[at], np.uint16(UNKNOWN))

    def segments(self) -> Segments:
        return Segments(ids_of(load_image(self.path)), self.listed)


def map_beside(photograph: Path) -> Path:
    """Where the map of a photograph stands."""
    parts = list(photograph.parts)
    at = [i for i, part in enumerate(parts[:-1]) if part == "images"]
    if at:
        parts[at[-1]] = "maps"
        return Path(*parts).with_suffix(".png")
    return photograph.parent.parent / "maps" / photograph.parent.name / f"{photograph.stem}.png"


def listed_meanings(folder: Path, classes: tuple[str, ...]) -> tuple[Meaning, ...]:
    """What the numbers of the maps in `folder` mean: see the head of this file. Raises DataError."""
    names = _lines(folder / NAMES) if (folder / NAMES).is_file() else (OTHER, *classes)
    if len(set(names)) < len(names) or not 0 < len(names) < UNKNOWN:
        raise DataError(
            f"{folder / NAMES} has {len(names)} lines, {len(set(names))} of them different",
            allowed="a name of its own for each number", fix="name every class once",
        )  # fmt: skip
    rest = frozenset(names) - {OTHER}
    return tuple(rest if name == OTHER else name for name in names)


def panoptic_maps(dataset: Dataset) -> tuple[dict[str, PanopticMap], list[Fault]]:
    """What the dataset's panoptic file says of its split, by the stem of a photograph's name, and what is wrong.

    Raises DataError for a file that is none.
    """
    home = dataset.root.parent if dataset.root.is_file() else dataset.root
    name = f"panoptic_{dataset.split}"
    found = [folder for folder in (home / "annotations", home) if (folder / f"{name}.json").is_file()]
    return _read(JsonFile(found[0] / f"{name}.json"), found[0] / name) if found else ({}, [])


def _read(file: JsonFile, folder: Path) -> tuple[dict[str, PanopticMap], list[Fault]]:
    maps, faults = dict[str, PanopticMap](), list[Fault]()
    categories = _categories(file)
    classes = tuple(dict.fromkeys(name for name, _ in categories.values()))
    for place, annotation in enumerate(_list(file.content, "annotations")):
        name = annotation.get("file_name") if isinstance(annotation, dict) else None
        if not isinstance(name, str) or escapes(name) or not (folder / name).is_file():
            faults.append(Fault(file.place("annotations", place), f"the map {name!r} is missing", "label"))
            continue
        segments = [_segment(one, categories) for one in _list(annotation, "segments_info")]
        sound = tuple(one for one in segments if one is not None)
        if len(sound) < len(segments):
            reason = f"{name}: {len(segments) - len(sound)} segments without an id or a known category, left unknown"
            faults.append(Fault(file.place("annotations", place), reason, "label"))
        maps[Path(name).stem] = PanopticMap(folder / name, sound, classes)
    return maps, faults


def _categories(file: JsonFile) -> dict[int, tuple[str, bool]]:
    """(name, whether its members are things) by number."""
    found = {
        one["id"]: (one["name"], bool(one.get("isthing", True)))
        for one in _list(file.content, "categories")
        if isinstance(one, dict) and isinstance(one.get("id"), int) and isinstance(one.get("name"), str)
    }
    if not found:
        raise DataError(f"{file.path} lists no categories", allowed='{"id": 1, "name": "person", "isthing": 1}')
    return found


def _segment(one: Any, categories: dict[int, tuple[str, bool]]) -> Segment | None:
    number, category = (one.get(key) if isinstance(one, dict) else None for key in ("id", "category_id"))
    if not isinstance(number, int) or not isinstance(category, int) or category not in categories:
        return None
    name, thing = categories[category]
    return Segment(number, name, thing=thing, crowd=bool(one.get("iscrowd", False)))


def _list(holder: Any, key: str) -> list[Any]:
    found = holder.get(key) if isinstance(holder, dict) else None
    return found if isinstance(found, list) else []


def _lines(file: Path) -> tuple[str, ...]:
    try:
        text = file.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f"{file} cannot be read as text", fix="save it as UTF-8") from error
    return tuple(line.strip() for line in text.strip().splitlines())
