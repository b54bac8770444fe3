"""COCO JSON: one file of images, annotations and categories, beside folders of photographs.

Layouts: a `.json` file; `annotations/*.json` with photographs under `images/{split}`, `{split}` or `images`; a `.json`
among the photographs of each split (`train/_annotations.coco.json`). A box is `[x, y, width, height]` in pixels from 0.
Beside `instances_{split}.json` stand the keypoints and captions of the same photographs, called `person_keypoints_...`
and `captions_...`; each is a dataset of its own where there are no instances.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

from tacit.data.coco_captions import Captions
from tacit.data.coco_files import CAPTIONS, KEYPOINTS, beside, files_at, image_folders
from tacit.data.coco_keypoints import Keypoints
from tacit.data.coco_masks import Masks
from tacit.data.folders import escapes, find_file
from tacit.data.intake import BoxLabel, Intake, Splits, require_distinct
from tacit.data.json_lines import JsonFile
from tacit.data.label import Label
from tacit.data.numbers import number
from tacit.data.sample import Dataset
from tacit.errors import DataError

Side = TypeVar("Side", Keypoints, Captions)


def splits(path: Path) -> Splits:
    """What COCO files there are at `path`, by split; empty when there is none."""
    return {name: partial(_read, file, name, path) for name, file in files_at(path).items()}


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
        images, self._annotations = self.file.rows("images"), self.file.rows("annotations")
        self._boxed = not _only_captions(self.file)
        self.categories = _categories(self.file) if self._boxed else {}
        if not images:
            raise DataError(
                f"{self.file.path} lists no images", allowed="a COCO file of detections", fix="export it again"
            )
        self._index = {number: i for i, number in enumerate(self.categories)}
        self._folders = image_folders(self.file.path)
        known = {image["id"] for image in images if _is_image(image)}
        boxes = self._boxes(known) if self._boxed else {}
        self._open_labels(known)
        seen: set[int] = set()
        for place, image in enumerate(images):
            self._image(place, image, boxes, seen)

    def _open_labels(self, known: set[int]) -> None:
        """Masks stand in the file itself; keypoints and captions there, or beside it."""
        self._masks = Masks(self.file, self._annotations, tuple(self.categories.values()), self.intake)
        keypoints = partial(Keypoints, annotations=self._annotations, known=known, intake=self.intake)
        captions = partial(Captions, known=known, intake=self.intake)
        self._keypoints = self._captions = None
        if self._boxed:
            self._keypoints = self._beside(KEYPOINTS, keypoints) or keypoints(self.file)
            self._captions = self._beside(CAPTIONS, captions)
        else:
            self._captions = captions(self.file)

    def _beside(self, kind: str, opened: Callable[[JsonFile], Side]) -> Side | None:
        """What the file of that kind says; one that cannot be read takes nothing from the boxes."""
        path = beside(self.file.path, kind)
        try:
            return opened(JsonFile(path)) if path else None
        except DataError as error:
            line, _, reason = error.wrong.removeprefix(str(path)).partition(" ")
            self.intake.fault(f"{path}{line}", reason, "label")
            return None

    def _boxes(self, known: set[int]) -> dict[int, list[BoxLabel]]:
        by_image: dict[int, list[BoxLabel]] = defaultdict(list)
        for place, annotation in enumerate(self._annotations):
            reason = self._wrong_with(annotation, known)
            if reason:
                self.intake.fault(self.file.place("annotations", place), reason, "label")
            elif _score(annotation) >= self.min_score:
                by_image[annotation["image_id"]].append(self._box(annotation, place))
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

    def _box(self, annotation: dict[str, Any], place: int) -> BoxLabel:
        x, y, width, height = map(number, annotation["bbox"])
        area = number(annotation.get("area"))
        return BoxLabel(
            box=(x, y, x + width, y + height),
            class_index=self._index[annotation["category_id"]],
            place=place,
            name=f"annotation {annotation.get('id', 'without id')}",
            crowd=bool(annotation.get("iscrowd", False)),
            area=area if math.isfinite(area) else None,
        )

    def _image(self, place: int, image: Any, labels: dict[int, list[BoxLabel]], seen: set[int]) -> None:
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
            size, labels_of = _stated_size(image), partial(self._labels, image, boxes)
            locate = partial(self.file.place, "annotations")
            self.intake.add(path, header, image["id"], boxes, locate, size, labels_of, boxed=self._boxed)

    def _labels(self, image: dict[str, Any], boxes: list[BoxLabel], width: int, height: int) -> Iterator[Label | None]:
        if self._boxed:
            yield self._masks.label(image, boxes, width, height)
        if self._keypoints:
            yield self._keypoints.label(image["id"], boxes, width, height)
        if self._captions:
            yield self._captions.label(image["id"])


def _only_captions(file: JsonFile) -> bool:
    captions = any(isinstance(item, dict) and "caption" in item for item in file.rows("annotations"))
    return captions and not file.content.get("categories")


def _categories(file: JsonFile) -> dict[int, str]:
    """Names by category id, in the order of the ids."""
    names: dict[int, str] = {}
    for category in file.rows("categories"):
        number, name = (category.get("id"), category.get("name")) if isinstance(category, dict) else (None, None)
        if not isinstance(number, int) or not isinstance(name, str) or number in names:
            raise DataError(
                f"{file.path} has a category without a name or an id of its own: {category!r}",
                allowed='{"id": 1, "name": "person"}', fix="repair the list of categories",
            )  # fmt: skip
        names[number] = name
    if not names:
        raise DataError(f"{file.path} lists no categories", allowed="at least one", fix="export it again")
    require_distinct(file.path, names)
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
    return 1.0 if score is None else number(score)
