"""From results to files: drawn pictures, JSON lines, COCO JSON. A writer takes results one by one."""

from __future__ import annotations

import json
from abc import abstractmethod
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any, TextIO

from tacit.errors import TacitError
from tacit.results import PICTURE_SUFFIXES, Result


class Writer(AbstractContextManager["Writer"]):
    """Takes results while they come; leaving its context finishes the file."""

    @abstractmethod
    def write(self, result: Result) -> None: ...


class Pictures(Writer):
    """Drawn pictures in one folder under their own names; a name that is taken gets a number (`cat-2.jpg`)."""

    def __init__(self, folder: Path, only: tuple[str, ...] | None = None) -> None:
        self.folder, self.only = folder, only
        self.taken: set[str] = set()

    def __enter__(self) -> Pictures:
        make_folder(self.folder)
        return self

    def __exit__(self, *_: object) -> None:
        """Every picture is finished when it is written."""

    def write(self, result: Result) -> None:
        result.save(self.folder / self._free_name(result.path or Path("image.jpg")), self.only)

    def _free_name(self, path: Path) -> str:
        suffix = path.suffix if path.suffix.lower() in PICTURE_SUFFIXES else ".jpg"
        name, number = path.stem + suffix, 1
        while name.lower() in self.taken:  # some file systems do not tell A from a
            number += 1
            name = f"{path.stem}-{number}{suffix}"
        self.taken.add(name.lower())
        return name


class JsonLines(Writer):
    """One line a photograph, as `Result.to_dict` tells it; each line is on disk before the next photograph.

    ASCII alone, since file names need not be text.
    """

    def __init__(self, path: Path) -> None:
        self.path = path

    def __enter__(self) -> JsonLines:
        self.file = _open(self.path)
        return self

    def __exit__(self, *_: object) -> None:
        self.file.close()

    def write(self, result: Result) -> None:
        self.file.write(json.dumps(result.to_dict()) + "\n")
        self.file.flush()


class CocoJson(Writer):
    """One COCO file: images, categories (class + 1), and the boxes as annotations with a `score`.

    COCO's own list of results has no room for file names, so this is the dataset form, which its tools load too.
    """

    def __init__(self, path: Path, names: tuple[str, ...]) -> None:
        self.path = path
        self.categories = [{"id": index + 1, "name": name} for index, name in enumerate(names)]
        self.images: list[dict[str, Any]] = []
        self.annotations: list[dict[str, Any]] = []

    def __enter__(self) -> CocoJson:
        self.file = _open(self.path)  # now, so that a folder that cannot be written is known before the work
        return self

    def __exit__(self, *_: object) -> None:
        with self.file as file:
            parts = {"images": self.images, "annotations": self.annotations, "categories": self.categories}
            json.dump(parts, file)

    def write(self, result: Result) -> None:
        image_id = len(self.images) + 1
        name = str(result.path) if result.path else f"image-{image_id}"
        self.images.append({"id": image_id, "file_name": name, "width": result.width, "height": result.height})
        for (x0, y0, x1, y1), score, index in zip(
            result.boxes.tolist(), result.scores.tolist(), result.classes.tolist(), strict=True
        ):
            self.annotations.append(
                {
                    "id": len(self.annotations) + 1,
                    "image_id": image_id,
                    "category_id": index + 1,
                    "bbox": [x0, y0, x1 - x0, y1 - y0],
                    "area": (x1 - x0) * (y1 - y0),
                    "iscrowd": 0,
                    "score": score,
                }
            )


def make_folder(folder: Path) -> None:
    """Makes `folder` and those above it; raises `TacitError` where that is not possible."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise TacitError(f"the folder {folder} cannot be made: {error}", fix="choose another --output") from error


def _open(path: Path) -> TextIO:
    make_folder(path.parent)
    try:
        return path.open("w", encoding="utf-8")
    except OSError as error:
        raise TacitError(f"{path} cannot be written: {error}", fix="choose another --output") from error
