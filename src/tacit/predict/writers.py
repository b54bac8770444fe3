"""From results to files: drawn pictures, JSON lines, COCO JSON. A writer takes results one by one.

Whatever fails, nothing half-written has a final name: pictures and the COCO file get theirs when they are whole, and
the lines that stand in a file are whole lines.
"""

from __future__ import annotations

import json
import shutil
from abc import abstractmethod
from collections.abc import Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from functools import partial
from pathlib import Path
from tempfile import TemporaryFile
from typing import Any

from tacit.atomic import replacing, unwritable
from tacit.errors import TacitError
from tacit.predict.background import Background
from tacit.results import PICTURE_SUFFIXES, Result

DRAWERS = 2  # threads
WAITING = 4  # pictures that may wait to be drawn


class Writer(AbstractContextManager["Writer"]):
    """Takes results while they come; leaving its context finishes the file."""

    @abstractmethod
    def write(self, result: Result) -> None: ...


class Names:
    """File names in one folder, each given once."""

    def __init__(self) -> None:
        self._taken: set[str] = set()

    def free(self, stem: str, suffix: str) -> str:
        """That name, or with a number if it is taken: `cat-2.jpg`."""
        name, number = stem + suffix, 1
        while name.lower() in self._taken:  # some file systems do not tell A from a
            number += 1
            name = f"{stem}-{number}{suffix}"
        self._taken.add(name.lower())
        return name


class Pictures(Writer):
    """Drawn pictures in one folder under their own names; frames of films are left to others.

    Threads draw and encode. What they cannot write is raised by the next `write`, or at the end. After Ctrl-C what
    waits is drawn all the same: a line that another writer has written of a photograph has its picture.
    """

    def __init__(self, folder: Path, only: tuple[str, ...] | None = None) -> None:
        self.folder, self.only, self.names = folder, only, Names()

    def __enter__(self) -> Pictures:
        make_folder(self.folder)
        self.background = Background(DRAWERS, WAITING)
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        try:
            if kind is None:
                self.background.finish()
        finally:
            self.background.stop()

    def write(self, result: Result) -> None:
        if result.moment is not None:
            return
        path = result.path or Path("image.jpg")
        suffix = path.suffix if path.suffix.lower() in PICTURE_SUFFIXES else ".jpg"
        self.background.do(partial(result.save, self.folder / self.names.free(path.stem, suffix), self.only))


class JsonLines(Writer):
    """One line a photograph or frame, as `Result.to_dict` tells it; each line is on disk before the next photograph.

    ASCII alone, since file names need not be text.
    """

    def __init__(self, path: Path) -> None:
        self.path = path

    def __enter__(self) -> JsonLines:
        make_folder(self.path.parent)
        with _told(self.path):
            self.file = self.path.open("wb", buffering=0)
        return self

    def __exit__(self, *_: object) -> None:
        self.file.close()

    def write(self, result: Result) -> None:
        rest = f"{json.dumps(result.to_dict())}\n".encode("ascii")
        end = self.file.tell()
        with _told(self.path):
            try:
                while rest:
                    rest = rest[self.file.write(rest) :]
            finally:
                if rest:
                    self.file.truncate(end)


class CocoJson(Writer):
    """One COCO file: images, categories (class + 1), and the boxes as annotations with a `score`.

    COCO's own list of results has no room for file names, so this is the dataset form, which its tools load too.
    """

    def __init__(self, path: Path, names: tuple[str, ...]) -> None:
        self.path = path
        self.categories = [{"id": index + 1, "name": name} for index, name in enumerate(names)]
        self.images = self.annotations = 0

    def __enter__(self) -> CocoJson:
        make_folder(self.path.parent)
        self.files = ExitStack()
        with _told(self.path):  # now, so that a folder that cannot be written is known before the work
            self.file = self.files.enter_context(replacing(self.path))
            self.list = self.files.enter_context(TemporaryFile(dir=self.path.parent))  # of the images, to follow
        self.file.write(b'{"annotations": [')
        return self

    def __exit__(self, *_: object) -> None:
        with _told(self.path), self.files:
            self.list.seek(0)
            self.file.write(b'], "images": [')
            shutil.copyfileobj(self.list, self.file)
            self.file.write(f'], "categories": {json.dumps(self.categories)}}}'.encode("ascii"))

    def write(self, result: Result) -> None:
        with _told(self.path):
            self.list.write(_item(self._image(result), self.images))
            self.images += 1
            for annotation in self._annotations(result):
                self.file.write(_item(annotation, self.annotations))
                self.annotations += 1

    def _image(self, result: Result) -> dict[str, Any]:
        name = str(result.path) if result.path else f"image-{self.images + 1}"
        frame = "" if result.moment is None else f"#{result.moment.frame}"
        return {"id": self.images + 1, "file_name": name + frame, "width": result.width, "height": result.height}

    def _annotations(self, result: Result) -> Iterator[dict[str, Any]]:
        for (x0, y0, x1, y1), score, index in zip(
            result.boxes.tolist(), result.scores.tolist(), result.classes.tolist(), strict=True
        ):
            yield {
                "id": self.annotations + 1,
                "image_id": self.images,
                "category_id": index + 1,
                "bbox": [x0, y0, x1 - x0, y1 - y0],
                "area": (x1 - x0) * (y1 - y0),
                "iscrowd": 0,
                "score": score,
            }


def make_folder(folder: Path) -> None:
    """Makes `folder` and those above it; raises `TacitError` where that is not possible."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise TacitError(f"the folder {folder} cannot be made: {error}", fix="choose another --output") from error


def _item(item: dict[str, Any], before: int) -> bytes:
    """Of a JSON list in which there are so many before it."""
    return f"{', ' if before else ''}{json.dumps(item)}".encode("ascii")


@contextmanager
def _told(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise unwritable(path, error) from error
