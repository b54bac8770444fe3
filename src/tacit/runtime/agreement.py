"""How far answers that were calculated in another way are from those of torch in float32, and how far they may be.

There is one table: the rule of `predict`, `Model.deploy` and the tests of every engine all go by it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from difflib import SequenceMatcher
from enum import Enum
from statistics import fmean
from typing import TypeAlias

import numpy as np
import torch
from jaxtyping import Bool, Int64

from tacit.geometry.iou import box_iou
from tacit.results import Answer, Result
from tacit.runtime.engine import Answers, Precision
from tacit.runtime.probe import Seen
from tacit.tasks.caption.answer import Caption
from tacit.tasks.embed.answer import Vectors
from tacit.tasks.pose.answer import Poses
from tacit.tasks.scene.answer import SceneMap
from tacit.tasks.segment.answer import Masks
from tacit.tasks.tags.answer import Tags

Pairs: TypeAlias = Int64[np.ndarray, "n 2"]

SURE = 0.3
"""A box with at least this score, of a pixel at least, has to be found by both."""
SAME = 0.5  # IoU from which two boxes of one class are of the same object


class Gap(Enum):
    """What is compared; 0 is no difference. All are means over photographs and objects, but for RAW."""

    RAW = "raw"
    """Tensors as the engine gave them: the norm of the difference as a share of the norm, the largest of all."""
    LOST = "lost"
    """The share of sure boxes that the other has not found."""
    BOXES = "boxes"
    """1 - IoU of boxes of the same object; of these speak all below that are about objects."""
    SCORES = "scores"
    """Between the scores of such boxes."""
    MASKS = "masks"
    """1 - IoU."""
    POINTS = "points"
    """Distance of a keypoint as a share of the mean side of its box."""
    VECTORS = "vectors"
    """1 - cosine."""
    SCENE = "scene"
    """The share of pixels that have another class."""
    TAGS = "tags"
    """The largest difference of a score."""
    WORDS = "words"
    """The share of a caption's words that are others."""


LIMITS: dict[Precision, dict[Gap, float]] = {
    precision: dict(zip(Gap, row, strict=True))
    for precision, row in {
        #                raw   lost  boxes scores masks points vectors scene tags words
        Precision.FP32: (1e-3, 0.01, 2e-3, 1e-3, 0.01, 5e-3, 1e-3, 1e-3, 1e-3, 0.00),
        Precision.BF16: (0.08, 0.05, 0.05, 0.05, 0.05, 0.03, 0.01, 0.03, 0.05, 0.50),
        Precision.INT8: (0.30, 0.15, 0.10, 0.10, 0.15, 0.10, 0.05, 0.10, 0.15, 0.75),
    }.items()
}
"""How large each may be. Of two boxes that are equally good another engine may keep the other one, so nothing about
objects is held to zero. Words may be others long before they are wrong: one step decides about all after it.
"""


def gaps(one: Seen, other: Seen) -> dict[Gap, float]:
    """The differences of what both say; without those that nothing was said of."""
    found: dict[Gap, list[float]] = {gap: [] for gap in Gap}
    for mine, theirs in zip(one.answers, other.answers, strict=True):
        found[Gap.RAW] += _raw(mine, theirs)
    for ours, others in zip(one.results, other.results, strict=True):
        for gap, value in _differences(ours, others):
            found[gap].append(value)
    return {gap: max(values) if gap is Gap.RAW else fmean(values) for gap, values in found.items() if values}


def too_far(differences: Mapping[Gap, float], precision: Precision) -> dict[Gap, float]:
    """Those above the limits; what is no number is above any."""
    return {gap: value for gap, value in differences.items() if not value <= LIMITS[precision][gap]}


def same_objects(ours: Result, theirs: Result) -> Pairs:
    """The numbers of boxes of one class that lie on each other, in both results; each at most once, best first."""
    overlap = box_iou(torch.from_numpy(ours.boxes), torch.from_numpy(theirs.boxes)).numpy()
    overlap[ours.classes[:, None] != theirs.classes] = 0
    pairs = list[tuple[int, int]]()
    for mine in range(len(ours) if len(theirs) else 0):
        best = int(overlap[mine].argmax())
        if overlap[mine, best] > SAME:
            pairs.append((mine, best))
            overlap[:, best] = 0
    return np.array(pairs, np.int64).reshape(-1, 2)


def _raw(ours: Answers, theirs: Answers) -> Iterator[float]:
    """Of tasks that choose (words) the numbers say little: another choice, and all of them are others."""
    for task, parts in ours.items():
        if all(values.is_floating_point() for values in parts.values()):
            for part, values in parts.items():
                norm = values.norm().clamp(min=torch.finfo(values.dtype).tiny)
                yield float((theirs[task][part] - values).norm() / norm)


def _differences(ours: Result, theirs: Result) -> Iterator[tuple[Gap, float]]:
    pairs = same_objects(ours, theirs)
    yield from _of_boxes(ours, theirs, pairs)
    for task, answer in ours.answers.items():
        yield from _of_answers(ours, answer, theirs.answers[task], pairs)


def _of_boxes(ours: Result, theirs: Result, pairs: Pairs) -> Iterator[tuple[Gap, float]]:
    for side, result in enumerate((ours, theirs)):
        wide, high = (result.boxes[:, 2:] - result.boxes[:, :2]).T
        for row in np.flatnonzero((result.scores >= SURE) & (np.minimum(wide, high) >= 1)).tolist():
            yield Gap.LOST, float(row not in pairs[:, side])
    for mine, other in pairs.tolist():
        one, two = torch.from_numpy(ours.boxes[[mine]]), torch.from_numpy(theirs.boxes[[other]])
        yield Gap.BOXES, 1 - float(box_iou(one, two))
        yield Gap.SCORES, abs(float(ours.scores[mine] - theirs.scores[other]))


def _of_answers(ours: Result, one: Answer, other: Answer, pairs: Pairs) -> Iterator[tuple[Gap, float]]:
    """Of the kinds of answers that are known; a task of one's own is compared as RAW alone."""
    match one, other:
        case Masks() as a, Masks() as b:
            yield from ((Gap.MASKS, _apart(a.mask(i), b.mask(j))) for i, j in pairs.tolist())
        case Poses() as a, Poses() as b:
            yield from _of_points(ours, a, b, pairs)
        case Vectors() as a, Vectors() as b:
            cosines = (a.vectors[pairs[:, 0]] * b.vectors[pairs[:, 1]]).sum(1)
            yield from ((Gap.VECTORS, 1 - cosine) for cosine in cosines.tolist())
        case SceneMap() as a, SceneMap() as b:
            yield Gap.SCENE, float((a.classes != b.classes).mean())
        case Tags() as a, Tags() as b:
            mine, their = (dict(zip(tags.names, tags.scores.tolist(), strict=True)) for tags in (a, b))
            yield Gap.TAGS, max(abs(their[name] - score) for name, score in mine.items())
        case Caption() as a, Caption() as b:
            yield Gap.WORDS, 1 - SequenceMatcher(None, a.text.split(), b.text.split(), autojunk=False).ratio()


def _apart(one: Bool[np.ndarray, "h w"], other: Bool[np.ndarray, "h w"]) -> float:
    """1 - IoU of two masks; two empty ones are alike."""
    either = float((one | other).sum())
    return 1 - float((one & other).sum()) / either if either else 0.0


def _of_points(ours: Result, one: Poses, other: Poses, pairs: Pairs) -> Iterator[tuple[Gap, float]]:
    """Of the points that would be drawn."""
    for i, j in pairs.tolist():
        x0, y0, x1, y1 = ours.boxes[i].tolist()
        apart = np.hypot(*(one.points[i, :, :2] - other.points[j, :, :2]).T)[one.shown[i]]
        yield from ((Gap.POINTS, distance / max(1.0, (x1 - x0 + y1 - y0) / 2)) for distance in apart.tolist())
