"""Which keypoints the objects of a dataset have, and from stated numbers to labels."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float64

from tacit.data.keypoints import HIDDEN, SEEN, UNLABELLED, KeypointLabels, Pairs

MOST_POINTS = 1000  # of one object; more is a damaged file
SLACK = 1.0  # pixels that a point may lie outside by rounding
Note = Callable[[str], None]
Rows = Float64[np.ndarray, "k values"]
Points = Float64[np.ndarray, "k 3"]
"""x, y in pixels, and what is visible, one row a keypoint."""


@dataclass(frozen=True)
class Figure:
    """The names of the keypoints in order, and which of them are joined, by number from 0."""

    names: tuple[str, ...]
    skeleton: Pairs = ()

    def rows(self, stated: Sequence[float] | Float64[np.ndarray, " m"], each: int, note: Note) -> Rows | None:
        """As many numbers as a row has for each keypoint. Where there are more or less, `note` is told, and no rows."""
        if len(stated) != each * len(self.names):
            note(f"has {len(stated)} numbers for {len(self.names)} keypoints, left out")
            return None
        return np.asarray(stated, np.float64).reshape(-1, each)

    def labels(self, objects: Sequence[Points | None]) -> KeypointLabels:
        """The labels of one picture; of an object that is None nothing is known."""
        nothing = np.zeros((len(self.names), 3))
        shape = (len(objects), len(self.names), 3)
        stated = np.array([nothing if points is None else points for points in objects]).reshape(shape)
        visible = stated[..., 2].astype(np.int64)
        known = np.array([points is not None for points in objects], np.bool_)
        places = np.where(visible[..., None] > UNLABELLED, stated[..., :2], 0).astype(np.float32)
        return KeypointLabels(places, visible, known, self.names, self.skeleton)


def placed(stated: Points, width: int, height: int, note: Note) -> Points | None:
    """The keypoints of an object in a picture of that size; those that lie outside of it are left out.

    None where a place is no finite number or a visibility none of 0, 1, 2. Of all that is left out `note` is told.
    """
    visible = stated[:, 2]
    labelled = visible != UNLABELLED
    if not ((visible == HIDDEN) | (visible == SEEN) | ~labelled).all():
        note("a keypoint's visibility is none of 0, 1, 2, keypoints left out")
        return None
    if not np.isfinite(stated[labelled]).all():
        note("a keypoint has a coordinate that is no finite number, keypoints left out")
        return None
    points = np.where(labelled[:, None], stated, 0)
    inside = points.copy()
    inside[:, :2] = points[:, :2].clip(0, (width, height))
    outside = np.abs(inside - points).max(axis=1) > SLACK
    if outside.any():
        note(f"{outside.sum()} of {len(points)} keypoints lie outside, left out")
    inside[outside] = 0
    return inside


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
