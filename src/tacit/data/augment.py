"""How training photographs are varied: one typed configuration, its defaults those of the YOLOR reference recipe.

The numbers are drawn and applied elsewhere: `warp`, `mosaic`, `mix`, `photometric`, put together in `compose`.
"""

from __future__ import annotations

from dataclasses import dataclass

from tacit.errors import ConfigError

LARGEST = {  # each field lies in [0, largest]; the reason for a bound below one stands beside it
    "hsv_h": 0.5,  # half the colour circle, either way: every hue
    "hsv_s": 1.0,
    "hsv_v": 1.0,
    "degrees": 180.0,
    "translate": 0.9,  # further out nothing of the photograph is left
    "scale": 0.95,  # scales lie in [1 - scale, 1 + scale]: 1 would shrink to a point
    "shear": 60.0,  # tan grows without bound towards 90
    "perspective": 0.001,  # per pixel: more puts the vanishing line inside the picture
    "flip_left_right": 1.0,
    "flip_up_down": 1.0,
    "mosaic": 1.0,
    "mosaic_nine": 1.0,
    "mixup": 1.0,
}


@dataclass(frozen=True, kw_only=True)
class Augment:
    """How far each training photograph may be varied. Zeroes everywhere: not at all."""

    hsv_h: float = 0.015
    """Hue: the largest relative change."""
    hsv_s: float = 0.7
    """Saturation: the largest relative change."""
    hsv_v: float = 0.4
    """Brightness: the largest relative change."""
    degrees: float = 0.0
    """Rotation: the largest angle, in degrees, either way."""
    translate: float = 0.1
    """Shift: the largest part of the picture's side, either way."""
    scale: float = 0.5
    """Zoom: factors from 1 - scale to 1 + scale."""
    shear: float = 0.0
    """Shear: the largest angle, in degrees, either way."""
    perspective: float = 0.0
    """Perspective: the largest coefficient per pixel; 0.001 is strong."""
    flip_left_right: float = 0.5
    """Mirroring: its probability."""
    flip_up_down: float = 0.0
    """Turning upside down: its probability."""
    mosaic: float = 1.0
    """Joining four or nine photographs: its probability."""
    mosaic_nine: float = 0.0
    """Mosaics of nine: their share; the others join four."""
    mixup: float = 0.0
    """Blending two mosaics: its probability, given a mosaic."""

    def __post_init__(self) -> None:
        for name, largest in LARGEST.items():
            value = getattr(self, name)
            if not 0 <= value <= largest:  # NaN fails this as well
                raise ConfigError(
                    f"augmentation {name}={value!r} is out of range",
                    allowed=f"a number from 0 to {largest:g}",
                    fix=f"choose another {name}, or 0 to switch it off",
                )


PLAIN = Augment(hsv_h=0.0, hsv_s=0.0, hsv_v=0.0, translate=0.0, scale=0.0, flip_left_right=0.0, mosaic=0.0)
"""No variation: the letterboxed photograph itself."""
