"""The keypoints of a COCO file: in its own annotations, or in a `person_keypoints` file about the same ones."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

import numpy as np

from tacit.data.figure import MOST_POINTS, Figure, Points, placed
from tacit.data.intake import BoxLabel, Intake
from tacit.data.json_lines import JsonFile
from tacit.data.keypoints import KeypointLabels
from tacit.data.numbers import number
from tacit.errors import DataError


class Keypoints:
    """What `file` says of the keypoints of `annotations`, which may be its own or another file's.

    Those of another file belong to the annotation of the same id, or else of the same image, class and box.
    """

    def __init__(self, file: JsonFile, annotations: Sequence[Any], known: Collection[int], intake: Intake) -> None:
        """`known` are the dataset's images. Raises DataError for a list of categories that is unsound."""
        self._file, self._intake = file, intake
        self._images = frozenset(file.ids("images"))
        self._figures = _figures(file, intake)
        self._stated: dict[int, tuple[int, Any]] = {}  # by the place of the dataset's annotation: ours, and its points
        if self._figures:
            self._join(annotations, known)

    @property
    def any(self) -> bool:
        """Whether there are keypoints of any object."""
        return bool(self._stated)

    def label(self, image: int, boxes: Sequence[BoxLabel], width: int, height: int) -> KeypointLabels | None:
        """The keypoints of an image's boxes, None where the file does not list the image."""
        if image not in self._images or not self._stated:
            return None
        figure = next(iter(self._figures.values()))
        return figure.labels([self._points(box, len(figure.names), width, height) for box in boxes])

    def _join(self, annotations: Sequence[Any], known: Collection[int]) -> None:
        own = self._file.rows("annotations")
        theirs = [(place, item) for place, item in enumerate(annotations) if isinstance(item, dict)]
        by_id = {(_plain(item.get("id")), _plain(item.get("image_id"))): place for place, item in theirs}
        by_box = {_box(item): place for place, item in theirs}
        for place, item in enumerate(own):
            if not isinstance(item, dict) or not isinstance(item.get("keypoints"), list) or not item["keypoints"]:
                continue
            found = place
            if own is not annotations:
                image = _plain(item.get("image_id"))
                found = by_id.get((_plain(item.get("id")), image), by_box.get(_box(item), -1))
                if found < 0:
                    if image in known or image not in self._images:
                        self._fault(place, item, "the dataset has no such object, keypoints left out")
                    continue
            if _plain(item.get("category_id")) in self._figures:
                self._stated[found] = place, item

    def _points(self, box: BoxLabel, count: int, width: int, height: int) -> Points | None:
        if box.place not in self._stated:
            return None
        place, item = self._stated[box.place]
        values = [number(value) for value in item["keypoints"]]
        if len(values) != 3 * count:
            self._fault(place, item, f"has {len(values)} numbers for {count} keypoints, left out")
            return None
        try:
            points, outside = placed(np.array(values).reshape(-1, 3), width, height)
        except DataError as error:
            self._fault(place, item, f"{error.wrong}, keypoints left out")
            return None
        if outside:
            self._fault(place, item, f"{outside} keypoints lie outside, left out")
        return points

    def _fault(self, place: int, item: dict[str, Any], reason: str) -> None:
        name = f"annotation {item.get('id', 'without id')}"
        self._intake.fault(self._file.place("annotations", place), f"{name}: {reason}", "label")


def _figures(file: JsonFile, intake: Intake) -> dict[int, Figure]:
    """By category: those whose keypoints are called as those of the first are."""
    figures: dict[int, Figure] = {}
    for place, category in enumerate(file.rows("categories")):
        if isinstance(category, dict) and category.get("keypoints") and isinstance(category.get("id"), int):
            figure = Figure(_names(file, category["keypoints"]), _skeleton(category))
            if figure.names == next(iter(figures.values()), figure).names:
                figures[category["id"]] = figure
            else:
                reason = f"category {category.get('name')!r} has keypoints of other names than the first, left out"
                intake.fault(file.place("categories", place), reason, "label")
    return figures


def _names(file: JsonFile, stated: Any) -> tuple[str, ...]:
    texts = isinstance(stated, list) and all(isinstance(name, str) for name in stated)
    if not texts or len(set(stated)) < len(stated) or len(stated) > MOST_POINTS:
        raise DataError(
            f"{file.path} has a category whose keypoints are no list of names: {str(stated)[:60]}",
            allowed=f'up to {MOST_POINTS} names, each once: ["nose", "left_eye", ...]', fix="repair the category",
        )  # fmt: skip
    return tuple(stated)


def _skeleton(category: dict[str, Any]) -> tuple[tuple[int, int], ...]:
    """The bonds between points that there are; COCO counts them from 1."""
    count, stated = len(category["keypoints"]), category.get("skeleton")
    bonds = [bond for bond in stated if isinstance(bond, list) and len(bond) == 2] if isinstance(stated, list) else []
    return tuple((a - 1, b - 1) for a, b in bonds if all(isinstance(i, int) and 1 <= i <= count for i in (a, b)))


def _plain(value: Any) -> Any:
    """A number, or None for what could not be looked up."""
    return value if isinstance(value, int) else None


def _box(item: dict[str, Any]) -> tuple[Any, ...]:
    box = item.get("bbox")
    corners = tuple(number(value) for value in box) if isinstance(box, list) else ()
    return (_plain(item.get("image_id")), _plain(item.get("category_id")), *corners)
