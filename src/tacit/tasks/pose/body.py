"""What a pose consists of: the names of its points, the lines between them, and which classes have it."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from jaxtyping import Float64

from tacit.data.figure import MOST_POINTS
from tacit.errors import WeightsError
from tacit.tasks.task import Plan

MOST = MOST_POINTS  # and of lines and of pairs
OTHER_SIGMA = 0.05
SIGMAS = {
    "nose": 0.026, "left_eye": 0.025, "right_eye": 0.025, "left_ear": 0.035, "right_ear": 0.035,
    "left_shoulder": 0.079, "right_shoulder": 0.079, "left_elbow": 0.072, "right_elbow": 0.072,
    "left_wrist": 0.062, "right_wrist": 0.062, "left_hip": 0.107, "right_hip": 0.107,
    "left_knee": 0.087, "right_knee": 0.087, "left_ankle": 0.089, "right_ankle": 0.089,
}  # fmt: skip
"""How far people disagree about each of COCO's points, a standard deviation in parts of the root of the object's area
(cocodataset.org, keypoint evaluation); other points count with OTHER_SIGMA.
"""


@dataclass(frozen=True)
class Body:
    """`skeleton` are the lines, from point to point; `pairs` are the points (left, right) that a mirror swaps; objects
    of the named `classes` have such a body.
    """

    names: tuple[str, ...]
    skeleton: tuple[tuple[int, int], ...] = ()
    pairs: tuple[tuple[int, int], ...] = ()
    classes: tuple[str, ...] = ("person",)

    @classmethod
    def of(cls, plan: Plan) -> Body:
        """What a plan says. Raises WeightsError where it is no body."""
        names = _texts(plan, "names")
        lines, pairs = (_edges(plan, key, len(names)) for key in ("skeleton", "pairs"))
        return cls(names, lines, pairs, _texts(plan, "classes"))

    def to_json(self) -> dict[str, Any]:
        """Plain values; `of` reads them back."""
        return {
            key: [list(item) if isinstance(item, tuple) else item for item in value]
            for key, value in asdict(self).items()
        }

    @property
    def sigmas(self) -> Float64[np.ndarray, " k"]:
        """How far a point may be off, as COCO counts it, in parts of the root of the object's area."""
        return sigmas_of(self.names)


def sigmas_of(names: tuple[str, ...]) -> Float64[np.ndarray, " k"]:
    """COCO's constants for the points that have COCO's names, OTHER_SIGMA for all others."""
    return np.array([SIGMAS.get(name, OTHER_SIGMA) for name in names], np.float64)


def _texts(plan: Plan, key: str) -> tuple[str, ...]:
    told = plan.get(key)
    if not isinstance(told, list | tuple) or not all(isinstance(name, str) and name for name in told):
        raise _wrong(key, told, "a list of names")
    if not 1 <= len(told) <= MOST or len(set(told)) < len(told):
        raise _wrong(key, told, f"1 to {MOST} names, all different")
    return tuple(told)


def _edges(plan: Plan, key: str, points: int) -> tuple[tuple[int, int], ...]:
    told = plan.get(key, [])
    if not isinstance(told, list | tuple) or len(told) > MOST:
        raise _wrong(key, told, f"a list of at most {MOST} pairs")
    for edge in told:
        numbers = isinstance(edge, list | tuple) and len(edge) == 2 and all(type(end) is int for end in edge)
        if not numbers or not all(0 <= end < points for end in edge) or edge[0] == edge[1]:
            raise _wrong(key, edge, f"pairs of two different numbers from 0 to {points - 1}")
    return tuple((edge[0], edge[1]) for edge in told)


def _wrong(key: str, told: object, allowed: str) -> WeightsError:
    return WeightsError(f"the {key} of the pose task are {str(told)[:40]!r}", allowed=allowed)
