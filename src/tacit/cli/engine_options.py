"""The options of commands that calculate networks: by which engine, and in what."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from tacit.api import Model
from tacit.geometry.views import AS_IT_IS, View
from tacit.runtime.wish import EngineKind, PrecisionKind
from tacit.stages import Stages, Thresholds


@dataclass(frozen=True, kw_only=True)
class EngineOptions:
    """By what the network is calculated."""

    engine: EngineKind = EngineKind.TORCH
    """auto is the fastest that is installed and answers as torch does, which is measured once."""
    precision: PrecisionKind = PrecisionKind.AUTO
    """auto rounds to bf16 where that is faster and changes no answer."""

    def stages(
        self,
        model: Model,
        thresholds: Thresholds,
        size: int | None,
        tasks: Sequence[str] | None,
        views: tuple[View, ...] = AS_IT_IS,
    ) -> Stages:
        """The stages around what was chosen. Raises ConfigError for what is not installed, or not possible."""
        if self.engine is EngineKind.TORCH and self.precision in {PrecisionKind.AUTO, PrecisionKind.FP32}:
            return model.stages(thresholds, size, views, tasks, quick=self.precision is PrecisionKind.AUTO)
        return model.deploy(self.engine, self.precision, size=size, tasks=tasks).stages(thresholds, size, views)


@dataclass(frozen=True, kw_only=True)
class ExactEngineOptions(EngineOptions):
    """The same where figures are at stake."""

    precision: PrecisionKind = PrecisionKind.FP32
    """auto rounds to bf16 where that is faster and changes no answer."""
