"""Boxes, names and veils drawn on a photograph.

Notable features:
- one class has one colour, in every picture and every run: hues step by the golden angle, so neighbours differ;
- lines and letters grow with the picture, so that a thumbnail and a poster look alike;
- a name stands on a plate of its box's colour, in black or white, whichever reads better, and never leaves the picture.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

import cv2
import numpy as np
from jaxtyping import Bool, Float, Int, UInt8

Colour = tuple[int, int, int]
GOLDEN_ANGLE = 0.618034  # of a full turn
FONT = cv2.FONT_HERSHEY_SIMPLEX
LINE_SHARE = 1 / 240  # line width as a share of the picture's mean side
CAPITAL_SHARE = 1 / 45  # height of a capital letter, likewise
SMALLEST_CAPITAL = 9  # pixels, below which names are hard to read
FULL_CAPITAL = 22  # pixels that a capital letter is high at font scale 1


def draw_boxes(
    image: UInt8[np.ndarray, "h w 3"],
    boxes: Float[np.ndarray, "n 4"],
    classes: Int[np.ndarray, " n"],
    names: Sequence[str],
    scores: Float[np.ndarray, " n"] | None = None,
) -> UInt8[np.ndarray, "h w 3"]:
    """A copy of `image` (RGB) with `boxes` (xyxy pixels) and their names, the first box on top.

    `classes` index `names`; with `scores` (0 to 1) each name is followed by its score in percent. Boxes may reach
    over the edge; boxes that are not finite are left out.
    """
    picture = np.ascontiguousarray(image).copy()
    width = line_width(picture)
    order = [int(i) for i in np.flatnonzero(np.isfinite(boxes).all(axis=1))[::-1]]
    for i in order:
        start, end = _corners(boxes[i], picture)
        cv2.rectangle(picture, start, end, colour_of(int(classes[i])), width)
    for i in order:  # after every line, so that no line crosses a name
        text = _label(names[int(classes[i])], None if scores is None else float(scores[i]))
        _title(picture, text, _corners(boxes[i], picture)[0], colour_of(int(classes[i])))
    return picture


def veil(
    picture: UInt8[np.ndarray, "h w 3"],
    region: Bool[np.ndarray, "h w"],
    colour: Colour,
    share: float,
    ground: UInt8[np.ndarray, "h w 3"] | None = None,
) -> None:
    """Lays `colour` over the pixels of `picture` in `region`: it takes `share` of what is seen there.

    The rest is of the `ground`, a picture of the same size, by itself `picture`.
    """
    veiled = cv2.LUT(picture if ground is None else ground, _through(colour, share))
    cv2.copyTo(veiled, region.view(np.uint8), picture)


def plate(picture: UInt8[np.ndarray, "h w 3"], text: str, corner: tuple[int, int], colour: Colour) -> int:
    """Writes `text` into `picture` on a plate whose lower left corner is (x, y), moved so far that it lies inside.

    Gives the row of its upper edge, on which the next plate may stand.
    """
    height, width = picture.shape[:2]
    plate_width, plate_height, (indent, line) = _plate_size(text, picture)
    left = int(np.clip(corner[0], 0, max(0, width - plate_width)))
    top = int(np.clip(corner[1] - plate_height, 0, max(0, height - plate_height)))
    cv2.rectangle(picture, (left, top), (left + plate_width - 1, top + plate_height - 1), colour, -1)
    scale, weight = _letters(text, picture)
    cv2.putText(picture, text, (left + indent, top + line), FONT, scale, _ink(colour), weight, cv2.LINE_AA)
    return top


def plate_height(picture: UInt8[np.ndarray, "h w 3"], text: str) -> int:
    """Rows that a `plate` with `text` takes."""
    return _plate_size(text, picture)[1]


@lru_cache(maxsize=4096)
def colour_of(index: int) -> Colour:
    """The RGB colour of class `index`, the same for ever."""
    hue = int((0.58 + index * GOLDEN_ANGLE) % 1 * 180)
    saturation, value = ((230, 255), (170, 255), (255, 200))[index % 3]
    red, green, blue = cv2.cvtColor(np.array([[[hue, saturation, value]]], np.uint8), cv2.COLOR_HSV2RGB)[0, 0]
    return int(red), int(green), int(blue)


def line_width(image: UInt8[np.ndarray, "h w 3"]) -> int:
    """Pixels that a line is wide in a picture of this size."""
    return max(1, round(sum(image.shape[:2]) / 2 * LINE_SHARE))


@lru_cache(maxsize=256)
def _through(colour: Colour, share: float) -> UInt8[np.ndarray, "1 256 3"]:
    """What each level of each channel is under a veil of that colour."""
    levels = np.arange(256)[:, None] * (1 - share) + np.array(colour) * share
    return np.rint(levels).astype(np.uint8)[None]


def _corners(
    box: Float[np.ndarray, "4"], picture: UInt8[np.ndarray, "h w 3"]
) -> tuple[tuple[int, int], tuple[int, int]]:
    """Whole-pixel corners; far outside is cut to just outside, since OpenCV overflows on huge coordinates."""
    height, width = picture.shape[:2]
    x0, y0, x1, y1 = np.clip(box, -width - height, 2 * (width + height)).round().astype(int).tolist()
    return (x0, y0), (x1 - 1, y1 - 1)


def _label(name: str, score: float | None) -> str:
    return name if score is None else f"{name} {score:.0%}"


def _title(picture: UInt8[np.ndarray, "h w 3"], text: str, start: tuple[int, int], colour: Colour) -> None:
    """Writes `text` above the box that starts there, or inside it where there is no room above."""
    plate_height, reach = _plate_size(text, picture)[1], line_width(picture) // 2
    above = start[1] + reach
    bottom = above if above >= plate_height else start[1] - reach + plate_height
    plate(picture, text, (start[0] - reach, bottom), colour)


def _plate_size(text: str, picture: UInt8[np.ndarray, "h w 3"]) -> tuple[int, int, tuple[int, int]]:
    """Width and height of the plate, and where on it the letters begin (x, y)."""
    (wide, tall), base = cv2.getTextSize(text, FONT, *_letters(text, picture))
    pad = max(2, tall // 3)
    return wide + 2 * pad, tall + base + pad, (pad, pad // 2 + tall)


def _letters(text: str, picture: UInt8[np.ndarray, "h w 3"]) -> tuple[float, int]:
    """Font scale and stroke: letters of a readable height, made smaller only where the picture is too narrow."""
    height, width = picture.shape[:2]
    scale = max(SMALLEST_CAPITAL, (height + width) / 2 * CAPITAL_SHARE) / FULL_CAPITAL
    weight = max(1, round(scale * 1.6))
    wide = cv2.getTextSize(text, FONT, scale, weight)[0][0] + round(scale * FULL_CAPITAL)
    return (scale, weight) if wide <= width else (scale * width / wide, 1)


def _ink(colour: Colour) -> Colour:
    """Black on light plates, white on dark ones (Rec. 601 luma)."""
    red, green, blue = colour
    return (0, 0, 0) if 0.299 * red + 0.587 * green + 0.114 * blue > 120 else (255, 255, 255)
