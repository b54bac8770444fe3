"""The weights of the detection loss, as part of a recipe (no torch in here: the command line reads it)."""

from __future__ import annotations

from dataclasses import dataclass

from tacit.errors import ConfigError


@dataclass(frozen=True, kw_only=True)
class DetectGains:
    """How much each part of the detection loss counts; the defaults are the reference's for 1280 pixels."""

    box: float = 0.05
    """Gain of 1 - CIoU, the mean over the assigned anchors."""
    objectness: float = 1.0
    """Gain of the objectness cross-entropy, the mean over all anchors."""
    classes: float = 0.5
    """Gain of the class cross-entropy at 80 classes; it shrinks in proportion for fewer."""
    anchor_limit: float = 4.0
    """An anchor answers for a box if neither side differs from its own by more than this factor."""
    focal_gamma: float = 0.0
    """Exponent of the focal loss on objectness and classes; 0 is plain cross-entropy."""
    class_positive: float = 1.0
    """Weight of positive examples in the class cross-entropy."""
    objectness_positive: float = 1.0
    """Weight of positive examples in the objectness cross-entropy."""

    def __post_init__(self) -> None:
        for name, value in vars(self).items():
            if not 0 <= value < float("inf"):
                raise ConfigError(f"detection gain {name}={value!r} is impossible", allowed="numbers from 0 up")
        if self.anchor_limit <= 1:
            raise ConfigError(f"anchor_limit={self.anchor_limit:g} lets no anchor answer", allowed="numbers over 1")
