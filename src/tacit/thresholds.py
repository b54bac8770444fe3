"""What counts as found."""

from __future__ import annotations

from dataclasses import dataclass

from tacit.errors import ConfigError


@dataclass(frozen=True, kw_only=True)
class Thresholds:
    """What counts as found."""

    confidence: float = 0.25
    """Boxes with a lower score are dropped, in [0, 1]."""
    iou: float = 0.5
    """Of two boxes of one class that overlap more than this, the better one stays, in [0, 1]."""
    max_detections: int = 300
    """At most so many boxes a photograph."""
    classes: tuple[int, ...] | None = None
    """Only these class ids; None is all."""

    def __post_init__(self) -> None:
        for name in ("confidence", "iou"):
            if not 0 <= getattr(self, name) <= 1:
                raise ConfigError(f"{name}={getattr(self, name)!r} is impossible", allowed="numbers from 0 to 1")
        if self.max_detections < 1:
            raise ConfigError(f"max_detections={self.max_detections!r} is impossible", allowed="1 or more")


SCORING = Thresholds(confidence=0.001, iou=0.65)
"""The thresholds of the reference's evaluation (official_models, section 9)."""
