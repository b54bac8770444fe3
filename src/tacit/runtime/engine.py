"""What an engine is: one pass of a network over a batch, however and wherever it is calculated."""

from __future__ import annotations

from abc import ABC, abstractmethod
from enum import Enum

import torch
from jaxtyping import Float32
from torch import Tensor

from tacit.tasks.task import Decoded

Answers = dict[str, Decoded]
"""What the tasks answer for a batch, by their names."""


class Precision(Enum):
    """What the convolutions are calculated in; answers are float32 all the same."""

    FP32 = "fp32"
    BF16 = "bf16"
    INT8 = "int8"


class Engine(ABC):
    """`engine(batch)` is forward and decode in one: exported networks have both inside.

    Pictures are (b, 3, h, w) in [0, 1], RGB, sides multiples of the network's stride, on `device`; there the answers
    are too.
    """

    precision: Precision

    @property
    @abstractmethod
    def device(self) -> torch.device: ...

    @property
    def at_once(self) -> int:
        """How many passes may be under way, each in a thread that calculates alone; 1 where an engine has threads of
        its own.
        """
        return 1

    @abstractmethod
    def __call__(self, batch: Float32[Tensor, "b 3 h w"]) -> Answers: ...
