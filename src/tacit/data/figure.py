"""Which keypoints the objects of a dataset have, and from stated numbers to labels."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float64

from tacit.data.keypoints import UNLABELLED, KeypointLabels, Pairs
from tacit.errors import DataError

MOST_POINTS = 1000  # of one object; more is a damaged file
SLACK = 1.0  # pixels that a point may lie outside by rounding
Points = Float64[np.ndarray, "k 3"]
"""x, y in pixels, and what is visible, one row a keypoint."""


@dataclass(frozen=True)
class Figure:
    """The names of the keypoints in order, and which of them are joined, by number from 0."""

    names: tuple[str, ...]
    skeleton: Pairs = ()

    def labels(self, objects: Sequence[Points | None]) -> KeypointLabels:
        """The labels of one picture; of an object that is None nothing is known."""
        nothing = np.zeros((len(self.names), 3))
        shape = (len(objects), len(self.names), 3)
        stated = np.array([nothing if points is None else points for points in objects]).reshape(shape)
        visible = stated[..., 2].astype(np.int64)
        known = np.array([points is not None for points in objects], np.bool_)
        places = np.where(visible[..., None] > UNLABELLED, stated[..., :2], 0).astype(np.float32)
        return KeypointLabels(places, visible, known, self.names, self.skeleton)


def placed(stated: Points, width: int, height: int) -> tuple[Points, int]:
    """The keypoints of an object in a picture of that size, and how many were left out since they lie outside of it.

    Raises DataError for a place that is no finite number, and for a visibility that is none of 0, 1, 2.
    """
    if not np.isin(stated[:, 2], (0, 1, 2)).all():
        raise DataError("a keypoint's visibility is none of 0, 1, 2")
    labelled = stated[:, 2] > UNLABELLED
    if not np.isfinite(stated[labelled]).all():
        raise DataError("a keypoint has a coordinate that is no finite number")
    points = np.where(labelled[:, None], stated, 0)
    inside = points.copy()
    inside[:, :2] = points[:, :2].clip(0, (width, height))
    outside = np.abs(inside - points).max(axis=1) > SLACK
    inside[outside] = 0
    return inside, int(outside.sum())


PERSON = Figure(
    names=(
        "nose", "left_eye", "right_eye", "left_ear", "right_ear", "left_shoulder", "right_shoulder", "left_elbow",
        "right_elbow", "left_wrist", "right_wrist", "left_hip", "right_hip", "left_knee", "right_knee", "left_ankle",
        "right_ankle",
    ),
    skeleton=(
        (15, 13), (13, 11), (16, 14), (14, 12), (11, 12), (5, 11), (6, 12), (5, 6), (5, 7), (6, 8), (7, 9), (8, 10),
        (1, 2), (0, 1), (0, 2), (1, 3), (2, 4), (3, 5), (4, 6),
    ),
)  # fmt: skip
"""The 17 keypoints of COCO."""
