"""COCO JSON: one file of images, annotations and categories, beside folders of photographs.

Layouts: a `.json` file; `annotations/*.json` with photographs under `images/{split}`, `{split}` or `images`; a `.json`
among the photographs of each split (`train/_annotations.coco.json`). A box is `[x, y, width, height]` in pixels from 0.
"""

from __future__ import annotations

import math
from collections import defaultdict
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from tacit.data.folders import escapes, find_file
from tacit.data.intake import Intake, Label, Splits, require_distinct
from tacit.data.json_lines import JsonFile
from tacit.data.sample import Dataset
from tacit.errors import DataError

_SNIFF = 1 << 16  # bytes


def splits(path: Path) -> Splits:
    """What COCO files there are at `path`, by split; empty when there is none."""
    return {name: partial(_read, file, name, path) for name, file in _files(path).items()}


def _files(path: Path) -> dict[str, Path]:
    if path.suffix.lower() == ".json":
        return {_split_of_file(path): path}
    for folder in (path / "annotations", path):
        instances = sorted(folder.glob("instances*.json"))
        found = instances or [file for file in sorted(folder.glob("*.json")) if _looks_like_coco(file)]
        if found:
            return {_split(file): file for file in found}
    return {file.parent.name: file for file in sorted(path.glob("*/_annotations.coco.json"))}


def _looks_like_coco(file: Path) -> bool:
    try:
        with file.open("rb") as opened:
            head = opened.read(_SNIFF)
    except OSError:
        return False
    return any(key in head for key in (b'"images"', b'"annotations"', b'"categories"'))


def _split(file: Path) -> str:
    """`instances_train.json` is "train"; a file named for no split holds all."""
    name = file.stem.removeprefix("instances").strip("_-")
    return "all" if name in {"", "default", "annotations", "_annotations.coco"} else name


def _split_of_file(file: Path) -> str:
    """A file that is named by itself is "all", unless it is called for a split, as `instances_dev.json` is."""
    name = _split(file)
    return name if name.startswith(("train", "val", "dev", "test")) else "all"


def _read(file: Path, split: str, root: Path, min_score: float) -> Dataset:
    """One COCO file; boxes with a `score` under `min_score` are left out. Raises DataError."""
    reading = _Reading(JsonFile(file), min_score)
    reading.read()
    return reading.intake.dataset(root, "COCO", split, reading.categories)


@dataclass
class _Reading:
    file: JsonFile
    min_score: float
    intake: Intake = field(default_factory=Intake)

    def read(self) -> None:
        images, annotations = self._list("images"), self._list("annotations")
        self.categories = _categories(self.file.path, self._list("categories"))
        if not images:
            raise DataError(
                f"{self.file.path} lists no images", allowed="a COCO file of detections", fix="export it again"
            )
        self._index = {number: i for i, number in enumerate(self.categories)}
        self._folders = _image_folders(self.file.path)
        labels = self._labels(annotations, {image["id"] for image in images if _is_image(image)})
        seen: set[int] = set()
        for place, image in enumerate(images):
            self._image(place, image, labels, seen)

    def _list(self, key: str) -> list[Any]:
        content = self.file.content
        found = content.get(key) if isinstance(content, dict) else None
        if not isinstance(found, list):
            raise DataError(
                f"{self.file.path} has no list {key!r}", allowed="lists of images, annotations and categories",
                fix="export it as COCO detection JSON",
            )  # fmt: skip
        return found

    def _labels(self, annotations: list[Any], known: set[int]) -> dict[int, list[Label]]:
        by_image: dict[int, list[Label]] = defaultdict(list)
        for place, annotation in enumerate(annotations):
            reason = self._wrong_with(annotation, known)
            if reason:
                self.intake.fault(self.file.place("annotations", place), reason, "label")
            elif _score(annotation) >= self.min_score:
                by_image[annotation["image_id"]].append(self._label(annotation, place))
        return by_image

    def _wrong_with(self, annotation: Any, known: set[int]) -> str:
        if not isinstance(annotation, dict):
            return "annotation is no object, left out"
        name = f"annotation {annotation.get('id', 'without id')}"
        image, category, box = (annotation.get(key) for key in ("image_id", "category_id", "bbox"))
        if not isinstance(image, int) or image not in known:
            return f"{name}: names image {image!r}, which the file does not list, left out"
        if not isinstance(category, int) or category not in self._index:
            return f"{name}: unknown class id {category!r}, left out"
        if not math.isfinite(_score(annotation)):
            return f"{name}: the score {annotation['score']!r} is no number, left out"
        if not isinstance(box, list) or len(box) != 4:
            return f"{name}: has no bbox [x, y, width, height], left out"
        return ""

    def _label(self, annotation: dict[str, Any], place: int) -> Label:
        x, y, width, height = map(_number, annotation["bbox"])
        area = _number(annotation.get("area"))
        return Label(
            box=(x, y, x + width, y + height),
            class_index=self._index[annotation["category_id"]],
            place=place,
            name=f"annotation {annotation.get('id', 'without id')}",
            crowd=bool(annotation.get("iscrowd", False)),
            area=area if math.isfinite(area) else None,
        )

    def _image(self, place: int, image: Any, labels: dict[int, list[Label]], seen: set[int]) -> None:
        if not _is_image(image) or image["id"] in seen:
            self.intake.fault(
                self.file.place("images", place), "image without a file_name or an id of its own", "image"
            )
            return
        seen.add(image["id"])
        name, boxes = image["file_name"], labels.get(image["id"], [])
        if escapes(name):
            self.intake.fault(self.file.place("images", place), f"{name!r} leads out of the dataset", "image")
            return
        path = find_file(self._folders, name)
        if path is None:
            self.intake.fault(self.file.place("images", place), f"the image {name!r} is missing", "image")
            return
        header = self.intake.photograph(path)
        if header is not None:
            size = _stated_size(image)
            self.intake.add(path, header, image["id"], boxes, partial(self.file.place, "annotations"), size)


def _image_folders(file: Path) -> list[Path]:
    here, name = file.parent, file.stem.removeprefix("instances").strip("_-")
    home = here.parent if here.name == "annotations" else here
    named = [home / "images" / name, home / name] if name else []
    return [*named, home / "images", here, home]


def _categories(file: Path, categories: list[Any]) -> dict[int, str]:
    """Names by category id, in the order of the ids."""
    names: dict[int, str] = {}
    for category in categories:
        number, name = (category.get("id"), category.get("name")) if isinstance(category, dict) else (None, None)
        if not isinstance(number, int) or not isinstance(name, str) or number in names:
            raise DataError(
                f"{file} has a category without a name or an id of its own: {category!r}",
                allowed='{"id": 1, "name": "person"}', fix="repair the list of categories",
            )  # fmt: skip
        names[number] = name
    if not names:
        raise DataError(f"{file} lists no categories", allowed="at least one", fix="export it again")
    require_distinct(file, names)
    return dict(sorted(names.items()))


def _is_image(image: Any) -> bool:
    if not isinstance(image, dict):
        return False
    return isinstance(image.get("id"), int) and isinstance(image.get("file_name"), str) and bool(image["file_name"])


def _stated_size(image: dict[str, Any]) -> tuple[int, int] | None:
    width, height = image.get("width"), image.get("height")
    return (width, height) if isinstance(width, int) and isinstance(height, int) and width > 0 < height else None


def _score(annotation: dict[str, Any]) -> float:
    """A teacher's confidence; people are sure."""
    score = annotation.get("score")
    return 1.0 if score is None else _number(score)


def _number(value: Any) -> float:
    """`value` as a float, NaN when it is no number."""
    try:
        return float(value) if isinstance(value, (int, float)) else math.nan
    except OverflowError:  # an integer beyond every float
        return math.inf
