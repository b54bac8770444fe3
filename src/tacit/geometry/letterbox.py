"""Fit a photograph into the network's input without changing its shape, and carry boxes there and back.

Training, validation, prediction and export all call `letterbox`; the record it returns is the only place that knows
how pixels of the photograph and pixels of the input correspond (reference: official_models.md section 9).
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from jaxtyping import Float, UInt8

from tacit.geometry.boxes import clip

FILL = 114  # the grey of the border, in every channel


@dataclass(frozen=True, kw_only=True)
class Letterbox:
    """Where a photograph lies in the network's input.

    `ratio` is input pixels per source pixel (x, y), `pad` the border left and above in input pixels. The sizes are
    (height, width). As in the reference, `pad` may end in .5: the picture then lies half a pixel further left or up.
    """

    ratio: tuple[float, float]
    pad: tuple[float, float]
    source: tuple[int, int]
    target: tuple[int, int]
    averaged: bool = False
    """Whether a photograph that shrinks is averaged over areas (as in rectangular batches) instead of interpolated."""

    @property
    def inner(self) -> tuple[int, int]:
        """Height and width of the resized photograph inside the border."""
        return max(1, round(self.source[0] * self.ratio[1])), max(1, round(self.source[1] * self.ratio[0]))

    def boxes_to_target(self, boxes: Float[np.ndarray, "n 4"]) -> Float[np.ndarray, "n 4"]:
        """Boxes xyxy in pixels of the photograph, moved to pixels of the input."""
        ratio, pad = np.array([self.ratio * 2, self.pad * 2], boxes.dtype)
        moved: np.ndarray = boxes * ratio + pad
        return moved

    def boxes_to_source(self, boxes: Float[np.ndarray, "n 4"]) -> Float[np.ndarray, "n 4"]:
        """Boxes xyxy in pixels of the input, moved to pixels of the photograph and clipped to it."""
        ratio, pad = np.array([self.ratio * 2, self.pad * 2], boxes.dtype)
        moved: np.ndarray = (boxes - pad) / ratio
        return clip(moved, width=self.source[1], height=self.source[0])


def plan_letterbox(
    source: tuple[int, int],
    size: int | tuple[int, int],
    *,
    stride: int = 32,
    minimum_rectangle: bool = False,
    upscale: bool = True,
    stretch: bool = False,
) -> Letterbox:
    """Where a photograph of `source` (height, width) goes in an input of `size` (one side, or height and width).

    `minimum_rectangle` pads only to the next multiple of `stride` instead of to the whole of `size`; without
    `upscale` a small photograph keeps its size; `stretch` fills `size` and gives up the aspect ratio.
    """
    target = (size, size) if isinstance(size, int) else size
    ratio = (target[1] / source[1], target[0] / source[0])
    if not stretch:
        ratio = (min(ratio),) * 2 if upscale else (min(*ratio, 1.0),) * 2
    plan = Letterbox(ratio=ratio, pad=(0.0, 0.0), source=source, target=target)
    spare = [whole - part for whole, part in zip(target, plan.inner, strict=True)]
    if minimum_rectangle:
        spare = [border % stride for border in spare]
    return Letterbox(
        ratio=ratio,
        pad=(spare[1] / 2, spare[0] / 2),
        source=source,
        target=(plan.inner[0] + spare[0], plan.inner[1] + spare[1]),
    )


def letterbox(
    image: UInt8[np.ndarray, "h w 3"],
    size: int | tuple[int, int],
    *,
    stride: int = 32,
    minimum_rectangle: bool = False,
    upscale: bool = True,
    stretch: bool = False,
) -> tuple[UInt8[np.ndarray, "height width 3"], Letterbox]:
    """The photograph fitted into `size` with a grey border, and where it lies; options as in `plan_letterbox`."""
    plan = plan_letterbox(
        (image.shape[0], image.shape[1]),
        size,
        stride=stride,
        minimum_rectangle=minimum_rectangle,
        upscale=upscale,
        stretch=stretch,
    )
    return place(image, plan), plan


def place(image: UInt8[np.ndarray, "h w 3"], plan: Letterbox) -> UInt8[np.ndarray, "height width 3"]:
    """The photograph resized (bilinear, unless the plan averages) and bordered as `plan` says."""
    height, width = plan.inner
    if image.shape[:2] != (height, width):
        averaged = plan.averaged and min(plan.ratio) < 1
        image = cv2.resize(image, (width, height), interpolation=cv2.INTER_AREA if averaged else cv2.INTER_LINEAR)
    framed = np.full((*plan.target, 3), FILL, np.uint8)
    # An odd border is split with the smaller half left and above: 0.5 - 0.1 rounds down.
    left, top = round(plan.pad[0] - 0.1), round(plan.pad[1] - 0.1)
    framed[top : top + height, left : left + width] = image
    return framed
