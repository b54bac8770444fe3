"""The masks of a COCO file: `segmentation` of its annotations, and of which classes they are complete."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from tacit.data.intake import BoxLabel, Intake
from tacit.data.json_lines import JsonFile
from tacit.data.masks import MaskLabels, Outline
from tacit.data.segmentation import outline
from tacit.errors import DataError

_FLAG = "mask_complete_"  # of an image, with "all" or the name of a class behind it
Complete = frozenset[int] | None  # None is all classes


class Masks:
    """What a file says of masks. Where it holds none at all, an image without objects is not taken for a complete one.

    An image that is flagged `mask_complete_all` or, say, `mask_complete_person` is complete so far and no further;
    without flags it is complete if every object that is no crowd has a mask.
    """

    def __init__(self, file: JsonFile, annotations: Sequence[Any], classes: Sequence[str], intake: Intake) -> None:
        self._file, self._annotations, self._intake = file, annotations, intake
        self._flags = {_FLAG + name.replace(" ", "_"): index for index, name in enumerate(classes)}
        self._some = any(isinstance(item, dict) and item.get("segmentation") for item in annotations)

    def label(self, image: dict[str, Any], boxes: Sequence[BoxLabel], width: int, height: int) -> MaskLabels | None:
        """The masks of an image's boxes, None where it tells nothing of masks."""
        sources = tuple(self._annotations[box.place].get("segmentation") or None for box in boxes)
        outlines = tuple(self._outline(box, source, width, height) for box, source in zip(boxes, sources, strict=True))
        without = frozenset(box.class_index for box, found in zip(boxes, outlines, strict=True) if not found)
        flawless = all(box.crowd or found for box, found in zip(boxes, outlines, strict=True))
        complete = self._complete(image, flawless)
        if without:
            complete = (frozenset(self._flags.values()) if complete is None else complete) - without
        if not any(outlines) and complete == frozenset():
            return None
        kept = tuple(source if found else None for source, found in zip(sources, outlines, strict=True))
        return MaskLabels(outlines, complete, kept)

    def _outline(self, box: BoxLabel, source: Any, width: int, height: int) -> Outline | None:
        try:
            return outline(source, width, height) if source else None
        except DataError as error:
            where = self._file.place("annotations", box.place)
            self._intake.fault(where, f"{box.name}: {error.wrong}, mask left out", "label")
            return None

    def _complete(self, image: dict[str, Any], flawless: bool) -> Complete:
        if any(key.startswith(_FLAG) for key in image):
            stated = frozenset(index for flag, index in self._flags.items() if image.get(flag))
            return None if image.get(_FLAG + "all") else stated
        return None if flawless and self._some else frozenset()
