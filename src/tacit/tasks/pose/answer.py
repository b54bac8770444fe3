"""The poses of one photograph: points in its pixels, drawn as skeletons."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from jaxtyping import Bool, Float, Float32, UInt8

from tacit.drawing import Colour, line_width
from tacit.results import Answer, Result
from tacit.tasks.pose.body import Body

SHOWN = 0.5  # confidence from which a point counts as seen
LEFT, MIDDLE, RIGHT = (255, 140, 0), (255, 255, 255), (0, 190, 255)  # tell themselves apart without red and green
EDGE = (0, 0, 0)  # around every line, so that it can be seen on any ground
FINEST = 1 / 40  # width of a line as a share of the object's mean side, at most: a small figure stays clear


@dataclass(frozen=True)
class Pen:
    """Pixels that the lines of one object are wide, their edges on either side, and the radius of its joints."""

    line: int
    edge: int
    joint: int

    @classmethod
    def of(cls, picture: UInt8[np.ndarray, "h w 3"], box: Float[np.ndarray, "4"]) -> Pen:
        """As wide as the lines of boxes, but no wider than the object in `box` bears."""
        bears = float(box[2] + box[3] - box[0] - box[1]) / 2 * FINEST
        line = max(1, min(line_width(picture), round(bears)))
        return cls(line, edge=min(max(1, line // 4), round(bears / 2)), joint=min(line + 1, round(bears)))


@dataclass(frozen=True, eq=False)
class Poses(Answer):
    """`points` are (x, y, confidence), x and y in pixels of the photograph, and may lie outside of it. Objects that
    have no pose, being of another class, have points that are no numbers and a confidence of 0.
    """

    points: Float32[np.ndarray, "n k 3"]
    body: Body

    @property
    def known(self) -> Bool[np.ndarray, " n"]:
        """Which objects have a pose."""
        return np.asarray(np.isfinite(self.points).all((1, 2)))

    @property
    def shown(self) -> Bool[np.ndarray, "n k"]:
        """Which points are sure enough to be drawn."""
        return self.known[:, None] & (self.points[..., 2] >= SHOWN)

    def draw(self, picture: UInt8[np.ndarray, "h w 3"], result: Result) -> None:
        """Lines and joints of the sure points, the first object on top: its left orange, its right blue."""
        for row in reversed(range(len(self.points))):
            if self.shown[row].any():
                self._draw_one(picture, row, Pen.of(picture, result.boxes[row]))

    def to_json(self) -> list[list[dict[str, Any]] | None]:
        """A list of points for every box, None where it has no pose."""
        return [
            [
                {"name": name, "x": x, "y": y, "confidence": confidence}
                for name, (x, y, confidence) in zip(self.body.names, rows, strict=True)
            ]
            if known
            else None
            for known, rows in zip(self.known.tolist(), self.points.tolist(), strict=True)
        ]

    def summary(self) -> str:
        count = int(self.shown.any(1).sum())
        return f"{count} pose{'s' if count > 1 else ''}" if count else ""

    def _draw_one(self, picture: UInt8[np.ndarray, "h w 3"], row: int, pen: Pen) -> None:
        places = _whole(self.points[row, :, :2], picture)
        seen = np.flatnonzero(self.shown[row]).tolist()
        lines = [(start, end) for start, end in self.body.skeleton if start in seen and end in seen]
        colours = self._colours()
        for start, end in lines:
            cv2.line(picture, places[start], places[end], EDGE, pen.line + 2 * pen.edge, cv2.LINE_AA)
        for start, end in lines:
            colour = colours[start] if colours[start] == colours[end] else MIDDLE
            cv2.line(picture, places[start], places[end], colour, pen.line, cv2.LINE_AA)
        for point in seen:
            cv2.circle(picture, places[point], pen.joint + pen.edge, EDGE, -1, cv2.LINE_AA)
            cv2.circle(picture, places[point], pen.joint, colours[point], -1, cv2.LINE_AA)

    def _colours(self) -> list[Colour]:
        """One a point, by the side of the body that it is on."""
        sides = {left: LEFT for left, _ in self.body.pairs} | {right: RIGHT for _, right in self.body.pairs}
        return [sides.get(point, MIDDLE) for point in range(len(self.body.names))]


def _whole(points: Float[np.ndarray, "k 2"], picture: UInt8[np.ndarray, "h w 3"]) -> list[tuple[int, int]]:
    """Whole pixels; far outside is cut to just outside, since OpenCV overflows on huge coordinates."""
    reach = sum(picture.shape[:2])
    return [(int(x), int(y)) for x, y in np.clip(points, -reach, 2 * reach).round()]
