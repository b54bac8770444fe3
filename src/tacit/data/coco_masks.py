"""The masks of a COCO file: `segmentation` of its annotations, and of which classes they are complete."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

from tacit.data.intake import BoxLabel, Intake
from tacit.data.json_lines import JsonFile
from tacit.data.masks import MaskLabels
from tacit.data.segmentation import mask_labels

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
        sources = [self._annotations[box.place].get("segmentation") or None for box in boxes]
        note = partial(self._note, boxes)
        complete = self._complete(image, all(box.crowd or source for box, source in zip(boxes, sources, strict=True)))
        labels = mask_labels(sources, boxes, complete, len(self._flags), (width, height), note)
        return labels if len(labels.rows) or labels.complete != frozenset() else None

    def _note(self, boxes: Sequence[BoxLabel], i: int, reason: str) -> None:
        where = self._file.place("annotations", boxes[i].place)
        self._intake.fault(where, f"{boxes[i].name}: {reason}", "label")

    def _complete(self, image: dict[str, Any], every: bool) -> Complete:
        if any(key.startswith(_FLAG) for key in image):
            stated = frozenset(index for flag, index in self._flags.items() if image.get(flag))
            return None if image.get(_FLAG + "all") else stated
        return None if every and self._some else frozenset()
