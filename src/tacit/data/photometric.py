"""Colour variation: hue, saturation and brightness, each multiplied by a drawn gain."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from jaxtyping import UInt8

from tacit.data.augment import Augment

HUES = 180  # OpenCV keeps a hue in a byte as half its degrees
LEVELS = np.arange(256, dtype=np.float64)


@dataclass(frozen=True)
class Hsv:
    """Gains of hue, saturation and value; 1 leaves a channel as it is."""

    hue: float = 1.0
    saturation: float = 1.0
    value: float = 1.0


def draw(augment: Augment, rng: np.random.Generator) -> Hsv:
    """Each gain uniform in 1 +- its limit."""
    hue, saturation, value = 1 + rng.uniform(-1, 1, 3) * (augment.hsv_h, augment.hsv_s, augment.hsv_v)
    return Hsv(float(hue), float(saturation), float(value))


def apply(image: UInt8[np.ndarray, "h w 3"], drawn: Hsv) -> UInt8[np.ndarray, "h w 3"]:
    """The RGB image with its colours scaled, as in the reference (fixtures ops/augment_hsv, to the bit)."""
    if drawn == Hsv():
        return image  # a round trip through bytes of HSV would cost a level here and there
    table = np.empty((1, 256, 3), np.uint8)
    table[0, :, 0] = LEVELS * drawn.hue % HUES  # hues wrap around
    table[0, :, 1] = np.minimum(LEVELS * drawn.saturation, 255)
    table[0, :, 2] = np.minimum(LEVELS * drawn.value, 255)
    hsv = cv2.cvtColor(image, cv2.COLOR_RGB2HSV)
    cv2.LUT(hsv, table, dst=hsv)
    return cv2.cvtColor(hsv, cv2.COLOR_HSV2RGB, dst=hsv).astype(np.uint8, copy=False)
