"""Implicit knowledge: the paper in one file.

Notable features
- A `Knowledge` is g(z): a learned constant of shape (1, channels, 1, 1) that no image ever touches (section 3).
  It is modelled as a vector z (eq. 6), a neural network Wz (eq. 7) or a matrix factorisation Z^T c (eq. 8).
- A `Combine` is how g(z) meets the explicit part f(x) (eq. 3): addition, multiplication or concatenation.
- Training starts without effect on f(x): g(z) is N(neutral, 0.02^2), where the neutral element is 0 for addition
  and concatenation and 1 for multiplication (section 4.3).
- No weight decay: the optimiser asks `isinstance(module, Knowledge)`.
- At deployment all of it folds into the convolution beside it (`fold.py`).

Equations are those of "You Only Learn One Representation" (Wang, Yeh, Liao, 2021, arXiv 2105.04206).
"""

from __future__ import annotations

from abc import ABC, abstractmethod

import torch
from jaxtyping import Float
from torch import Tensor, nn

SIGMA = 0.02  # the paper says "tiny"; the published models use 0.02


class Knowledge(nn.Module, ABC):
    """g(z), a learned constant of `channels` values that starts near `neutral`."""

    def __init__(self, channels: int, neutral: float) -> None:
        super().__init__()
        self.channels, self.neutral = channels, neutral

    @abstractmethod
    def forward(self) -> Float[Tensor, "1 channels 1 1"]:
        """The constant, with the shape of one image's features at one position."""

    def extra_repr(self) -> str:
        return f"channels={self.channels}, neutral={self.neutral:g}"


class Vector(Knowledge):
    """z itself (eq. 6): every channel learns alone."""

    def __init__(self, channels: int, neutral: float) -> None:
        super().__init__(channels, neutral)
        self.z = nn.Parameter(_normal(neutral, SIGMA, 1, channels, 1, 1))

    def forward(self) -> Float[Tensor, "1 channels 1 1"]:
        return self.z


class NeuralNetwork(Knowledge):
    """Wz (eq. 7): the channels depend on each other through W. z has 2 x channels values, as in Table 6."""

    def __init__(self, channels: int, neutral: float) -> None:
        super().__init__(channels, neutral)
        prior = 2 * channels
        self.z = nn.Parameter(_normal(0.0, SIGMA, prior))
        self.weight = nn.Parameter(_normal(0.0, prior**-0.5, channels, prior))  # so Wz has z's deviation

    def forward(self) -> Float[Tensor, "1 channels 1 1"]:
        return (self.neutral + self.weight @ self.z).view(1, -1, 1, 1)


class MatrixFactorisation(Knowledge):
    """Z^T c (eq. 8): coefficients c mix the rows of Z, 2 x channels bases, as in Table 6."""

    def __init__(self, channels: int, neutral: float) -> None:
        super().__init__(channels, neutral)
        bases = 2 * channels
        self.z = nn.Parameter(_normal(0.0, SIGMA, bases, channels))
        self.coefficients = nn.Parameter(_normal(0.0, bases**-0.5, bases))  # so Z^T c has Z's deviation

    def forward(self) -> Float[Tensor, "1 channels 1 1"]:
        return (self.neutral + self.z.T @ self.coefficients).view(1, -1, 1, 1)


def _normal(mean: float, deviation: float, *shape: int) -> Tensor:
    return torch.empty(shape).normal_(mean, deviation)  # torch.normal does not heed torch.device("meta")


class Combine(nn.Module, ABC):
    """f(x) * g(z) of eq. 3, with * one of the three operators below."""

    neutral: float

    def __init__(self, channels: int, modelling: type[Knowledge] = Vector) -> None:
        super().__init__()
        self.knowledge = modelling(channels, self.neutral)

    @abstractmethod
    def forward(self, x: Float[Tensor, "batch c h w"]) -> Float[Tensor, "batch c2 h w"]:
        """`x` bent by the knowledge."""


class Add(Combine):
    """f(x) + g(z): moves the kernel space (alignment of features, refinement of offsets)."""

    neutral = 0.0

    def forward(self, x: Float[Tensor, "batch c h w"]) -> Float[Tensor, "batch c h w"]:
        moved: Tensor = x + self.knowledge()
        return moved


class Multiply(Combine):
    """f(x) x g(z): scales it (refinement of predictions and anchors, selection of features)."""

    neutral = 1.0

    def forward(self, x: Float[Tensor, "batch c h w"]) -> Float[Tensor, "batch c h w"]:
        scaled: Tensor = x * self.knowledge()
        return scaled


class Concat(Combine):
    """[g(z), f(x)]: a precondition that later layers may use. The constant comes first, as in the published code."""

    neutral = 0.0

    def forward(self, x: Float[Tensor, "batch c h w"]) -> Float[Tensor, "batch c2 h w"]:
        constant = self.knowledge().expand(x.shape[0], -1, *x.shape[2:])
        return torch.cat([constant, x], dim=1)
