"""Instance masks and a scene's map as one panoptic map: every pixel in at most one segment."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol, runtime_checkable

import numpy as np
from jaxtyping import Bool

from tacit.data.segments import Segment, Segments
from tacit.results import Result
from tacit.tasks.scene.answer import SceneMap
from tacit.thresholds import Thresholds

FREE = 0.5  # of a mask: where more than the rest lies under better ones it is no thing of its own
LEAST = 0.01  # of the picture: smaller regions of stuff are noise


@runtime_checkable
class InstanceMasks(Protocol):
    """An answer that has a mask for each box of its result."""

    def mask(self, index: int) -> Bool[np.ndarray, "h w"]:
        """The mask of that box, of the photograph's size."""


def instance_masks(result: Result) -> InstanceMasks | None:
    """The answer among the result's that has masks, if there is one."""
    return next((answer for answer in result.answers.values() if isinstance(answer, InstanceMasks)), None)


def panoptic(
    scene: SceneMap,
    result: Result,
    mask: Callable[[int], Bool[np.ndarray, "h w"]],
    confidence: float = Thresholds().confidence,
) -> Segments:
    """Things by their score, the best first, each where no better one is; then stuff on what is left (arXiv 1801.00868,
    section 6).

    Boxes of a lower score than `confidence` are left out, and masks of which less than `FREE` is left, and stuff of
    less than `LEAST` of the picture. Stuff are the classes of `scene` that no box can have; where it says a thing that
    no mask shows, or "other", the map stays void.
    """
    ids = np.zeros(scene.classes.shape, np.int64)
    segments = list[Segment]()
    for index in np.argsort(-result.scores, kind="stable").tolist():
        if result.scores[index] < confidence:
            break
        whole = mask(index)
        part = whole & (ids == 0)
        if part.any() and part.sum() >= FREE * whole.sum():
            name = result.names[result.classes[index]]
            segments.append(Segment(len(segments) + 1, name, score=float(result.scores[index])))
            ids[part] = len(segments)
    for place, name in enumerate(scene.names):
        part = (scene.classes == place) & (ids == 0)
        if place and name not in result.names and part.sum() > LEAST * part.size:
            segments.append(Segment(len(segments) + 1, name, thing=False))
            ids[part] = len(segments)
    return Segments(ids, tuple(segments))
