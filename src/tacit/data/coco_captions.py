"""The captions of a COCO file: annotations of an `image_id` and a `caption`, about five of them an image."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection
from typing import Any

from tacit.data.captions import CaptionLabels
from tacit.data.intake import Intake
from tacit.data.json_lines import JsonFile


class Captions:
    """What `file` says of the images `known` to the dataset; captions of the file's other images are passed over."""

    def __init__(self, file: JsonFile, known: Collection[int], intake: Intake) -> None:
        """Raises DataError when the file has no list of annotations."""
        self._by_image: dict[int, list[str]] = defaultdict(list)
        images = {*known, *file.ids("images")}
        for place, annotation in enumerate(file.rows("annotations")):
            reason = _wrong_with(annotation, images)
            if reason:
                name = f"annotation {annotation.get('id', 'without id')}: " if isinstance(annotation, dict) else ""
                intake.fault(file.place("annotations", place), f"{name}{reason}, left out", "label")
            else:
                self._by_image[annotation["image_id"]].append(" ".join(annotation["caption"].split()))

    def label(self, number: int) -> CaptionLabels | None:
        """The captions of the image of that number."""
        captions = self._by_image.get(number)
        return CaptionLabels(tuple(captions)) if captions else None


def _wrong_with(annotation: Any, images: Collection[int]) -> str:
    if not isinstance(annotation, dict):
        return "annotation is no object"
    image, caption = annotation.get("image_id"), annotation.get("caption")
    if not isinstance(image, int) or image not in images:
        return f"names image {image!r}, which the file does not list"
    if not isinstance(caption, str):
        return "the caption is no text"
    return "" if caption.strip() else "the caption is empty"
