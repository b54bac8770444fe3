"""What class every pixel of a photograph has."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import cv2
import numpy as np
from jaxtyping import Bool, Float32, Int64, UInt8

from tacit.drawing import CAPITAL_SHARE, FONT, FULL_CAPITAL, SMALLEST_CAPITAL, Colour, colour_of, veil
from tacit.geometry.letterbox import Letterbox
from tacit.results import Answer, Result

VEIL = 0.25  # lighter than that of a mask, which may lie over it: how much of a class's colour lies over its pixels
LEAST_SAID = 0.01  # of the picture: what is smaller is not worth a word
MOST_SAID = 3
LETTERS = (*((x, y, (0, 0, 0)) for x in (-1, 0, 1) for y in (-1, 0, 1)), (0, 0, (255, 255, 255)))
"""Shifts and colours: white with a dark edge, which reads on every colour."""


@dataclass(frozen=True, eq=False)
class SceneMap(Answer):
    """`classes` index `names` at the resolution of the photograph; 0 is "other", nothing of the known classes."""

    under = True

    classes: UInt8[np.ndarray, "h w"]
    names: tuple[str, ...]

    def draw(self, picture: UInt8[np.ndarray, "h w 3"], result: Result) -> None:
        """A veil of its colour over each class, "other" left clear, and its name on its largest region that has room.

        A class has the colour of its boxes.
        """
        there = [index for index in np.flatnonzero(self._counts).tolist() if index]
        for index in there:
            region = self.classes == index
            window = _window(region)
            veil(picture[window], region[window], self._colour(index, result), VEIL)
        for index in there:  # over every veil
            _write(picture, self.names[index], self.classes == index)

    def to_json(self) -> dict[str, float]:
        """The parts of the picture that the classes take, the largest first."""
        return {name: round(share, 4) for name, share in self._shares()}

    def summary(self) -> str:
        """The largest classes but "other": `scene: 60% grass, 12% person`."""
        named = [(name, share) for name, share in self._shares() if name != self.names[0] and share >= LEAST_SAID]
        said = ", ".join(f"{share:.0%} {name}" for name, share in named[:MOST_SAID])
        return f"scene: {said}" if said else ""

    @cached_property
    def _counts(self) -> Int64[np.ndarray, " classes"]:
        """The pixels of each class."""
        return np.bincount(self.classes.ravel(), minlength=len(self.names))

    def _shares(self) -> list[tuple[str, float]]:
        counts = self._counts / self.classes.size
        order = np.argsort(-counts, kind="stable")
        return [(self.names[index], float(counts[index])) for index in order.tolist() if counts[index] > 0]

    def _colour(self, index: int, result: Result) -> Colour:
        name = self.names[index]
        return colour_of(result.names.index(name) if name in result.names else len(result.names) + index)


def scene_map(scores: Float32[np.ndarray, "c h w"], names: tuple[str, ...], plan: Letterbox) -> SceneMap:
    """The class of the highest score for every pixel of the photograph, scores interpolated between those of the map.

    Only classes that win somewhere on the map's own grid are looked at: the others have no chance but for slivers.
    """
    first, *others = np.unique(scores.argmax(axis=0)).tolist()
    best, classes = _enlarged(scores[first], plan), np.full(plan.source, first, np.uint8)
    for index in others:
        score = _enlarged(scores[index], plan)
        np.copyto(classes, index, where=score > best)
        np.maximum(best, score, out=best)
    return SceneMap(classes, names)


def _enlarged(score: Float32[np.ndarray, "h w"], plan: Letterbox) -> Float32[np.ndarray, "height width"]:
    """A class's scores, interpolated for every pixel of the photograph."""
    step = plan.target[1] / score.shape[1], plan.target[0] / score.shape[0]  # pixels of the input, x and y
    scale = [plan.ratio[axis] / step[axis] for axis in (0, 1)]
    shift = [(plan.ratio[axis] / 2 + plan.pad[axis]) / step[axis] - 0.5 for axis in (0, 1)]
    matrix = np.array([[scale[0], 0, shift[0]], [0, scale[1], shift[1]]])  # pixels of the photograph -> of the map
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    enlarged: np.ndarray = cv2.warpAffine(
        score, matrix, plan.source[::-1], flags=flags, borderMode=cv2.BORDER_REPLICATE
    )
    return enlarged


def _window(region: Bool[np.ndarray, "h w"]) -> tuple[slice, slice]:
    """The rows and columns that a region lies in."""
    x, y, width, height = cv2.boundingRect(region.view(np.uint8))
    return slice(y, y + height), slice(x, x + width)


def _widest(region: Bool[np.ndarray, "h w"]) -> tuple[int, int]:
    """The pixel (x, y) of the largest connected part of a region that is farthest from the part's edge."""
    rows, _ = _window(region)  # whole rows, since OpenCV rounds equal distances by their column
    _, parts, stats, _ = cv2.connectedComponentsWithStats(region[rows].view(np.uint8), connectivity=4)
    largest = 1 + int(stats[1:, cv2.CC_STAT_AREA].argmax())
    top, height = stats[largest, [cv2.CC_STAT_TOP, cv2.CC_STAT_HEIGHT]].tolist()
    part = np.pad(parts[top : top + height] == largest, 1).view(np.uint8)
    room = cv2.distanceTransform(part, cv2.DIST_L2, 3)[1:-1, 1:-1]
    y, x = np.unravel_index(int(room.argmax()), room.shape)
    return int(x), rows.start + top + int(y)


def _write(picture: UInt8[np.ndarray, "h w 3"], text: str, region: Bool[np.ndarray, "h w"]) -> None:
    """The text in the widest place of the largest connected part of a region, if it has room there."""
    middle_x, middle_y = _widest(region)
    scale = max(SMALLEST_CAPITAL, sum(picture.shape[:2]) / 2 * CAPITAL_SHARE) / FULL_CAPITAL
    weight = max(1, round(scale * 1.6))
    (wide, tall), _ = cv2.getTextSize(text, FONT, scale, weight)
    left, bottom = middle_x - wide // 2, middle_y + tall // 2
    inside = region[max(bottom - tall, 0) : bottom, max(left, 0) : left + wide]
    if left < 0 or inside.size < wide * tall or not inside.mean() > 0.9:
        return
    for x, y, colour in LETTERS:
        cv2.putText(picture, text, (left + x, bottom + y), FONT, scale, colour, weight, cv2.LINE_AA)
