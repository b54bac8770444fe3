"""The keypoints of a COCO file: in its own annotations, or in a `person_keypoints` file about the same ones."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from functools import cached_property, partial
from typing import Any

from tacit.data.figure import MOST_POINTS, Figure, Points, placed
from tacit.data.intake import BoxLabel, Intake
from tacit.data.json_lines import JsonFile
from tacit.data.keypoints import KeypointLabels
from tacit.data.numbers import numbers
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

    def label(self, image: int, boxes: Sequence[BoxLabel], width: int, height: int) -> KeypointLabels | None:
        """The keypoints of an image's boxes, None where the file does not list the image."""
        if image not in self._images or not self._stated:
            return None
        figure = next(iter(self._figures.values()))
        return figure.labels([self._points(box, figure, width, height) for box in boxes])

    def _join(self, annotations: Sequence[Any], known: Collection[int]) -> None:
        own = self._file.rows("annotations")
        others = None if own is annotations else _Others(annotations)
        for place, item in enumerate(own):
            if not isinstance(item, dict) or not item.get("keypoints"):
                continue
            found = others.place_of(item) if others else place
            if found is not None and _plain(item.get("category_id")) in self._figures:
                self._stated[found] = place, item
            image = _plain(item.get("image_id"))
            if found is None and (image in known or image not in self._images):
                self._fault(place, item, "the dataset has no such object, keypoints left out")

    def _points(self, box: BoxLabel, figure: Figure, width: int, height: int) -> Points | None:
        if box.place not in self._stated:
            return None
        place, item = self._stated[box.place]
        note, stated = partial(self._fault, place, item), item["keypoints"]
        rows = figure.rows(numbers(stated if isinstance(stated, list) else []), 3, note)
        return None if rows is None else placed(rows, width, height, note)

    def _fault(self, place: int, item: dict[str, Any], reason: str) -> None:
        name = f"annotation {item.get('id', 'without id')}"
        self._intake.fault(self._file.place("annotations", place), f"{name}: {reason}", "label")


class _Others:
    """The annotations of another file, to be found again."""

    def __init__(self, annotations: Sequence[Any]) -> None:
        self._items = [(place, item) for place, item in enumerate(annotations) if isinstance(item, dict)]
        self._by_id = {_id(item): place for place, item in self._items}

    def place_of(self, item: dict[str, Any]) -> int | None:
        """The one of the same id, or of the same box."""
        found = self._by_id.get(_id(item))
        return self._by_box.get(_box(item)) if found is None else found

    @cached_property
    def _by_box(self) -> dict[tuple[Any, ...], int]:
        return {_box(item): place for place, item in self._items}


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


def _id(item: dict[str, Any]) -> tuple[Any, Any]:
    return _plain(item.get("id")), _plain(item.get("image_id"))


def _box(item: dict[str, Any]) -> tuple[Any, ...]:
    box = item.get("bbox")
    corners = tuple(numbers(box).tolist()) if isinstance(box, list) else ()
    return (_plain(item.get("image_id")), _plain(item.get("category_id")), *corners)
