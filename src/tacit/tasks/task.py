"""The protocol of a task: a head on the pyramid, its loss, its decoded answer.

A task bends the shared features with its own implicit knowledge (paper, eq. 5) and owns what depends on what is asked:
targets, loss, decoding. Its metric stands beside it; `stages` and `evaluate` know the one task there is so far.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from jaxtyping import Float
from torch import Tensor, nn


@dataclass(frozen=True, eq=False)
class TaskLoss:
    """What one task asks the optimiser to lower: `total` carries the gradient, `parts` are for the log."""

    total: Float[Tensor, ""]
    parts: dict[str, Float[Tensor, ""]]


class Task(nn.Module, ABC):
    """A head on the pyramid and the meaning of what it returns."""

    name: ClassVar[str]

    @abstractmethod
    def forward(self, pyramid: Sequence[Float[Tensor, "b c h w"]]) -> list[Tensor]:
        """Raw maps, one a level, before any activation."""

    @abstractmethod
    def decode(self, raw: Sequence[Tensor]) -> Tensor:
        """Raw maps -> the answer in pixels of the input and probabilities, (batch, rows, channels)."""

    @abstractmethod
    def loss(self, raw: Sequence[Tensor], targets: Float[Tensor, "n 6"]) -> TaskLoss:
        """How far the raw maps are from the targets of the batch: (image, class, x, y, w, h), normalised."""
