"""Implicit knowledge: the paper in one file.

Notable features
- A `Knowledge` is g(z): a learned constant of shape (1, channels, 1, 1) that no image ever touches (section 3).
  It is modelled as a vector z (eq. 6), a neural network Wz (eq. 7) or a matrix factorisation Z^T c (eq. 8).
- A `Combine` is how g(z) meets the explicit part f(x) (eq. 3): addition, multiplication or concatenation.
- It may meet some channels only: centres for offset refinement, sizes for anchor refinement (Fig. 5, Table 5).
- A `ClusterConv` has one g(z) for every anchor (Table 5, iFA*).
- An `InnerProduct` answers with the products of projected features and directions g(z) (section 3.1, Fig. 3).
- Training starts without effect on f(x): g(z) is N(neutral, 0.02^2), where the neutral element is 0 for addition
  and concatenation, 1 for multiplication (section 4.3), and a unit vector for the inner product (Fig. 3).
- No weight decay: the optimiser asks `isinstance(module, Knowledge)`.
- At deployment all of it folds into the convolution beside it (`fold.py`).

Equations are those of "You Only Learn One Representation" (Wang, Yeh, Liao, 2021, arXiv 2105.04206).
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import ClassVar

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional

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
    """f(x) * g(z) of eq. 3, with * one of the three operators below.

    With `where` g(z) has a value for these channels alone and meets the others as the neutral element.
    """

    neutral: ClassVar[float]
    widens: ClassVar[int] = 1
    """How many times the channels of f(x) come out."""

    def __init__(
        self, channels: int, modelling: type[Knowledge] = Vector, *, where: Sequence[int] | None = None
    ) -> None:
        super().__init__()
        self.channels = channels
        self.knowledge = modelling(channels if where is None else len(where), self.neutral)
        self.where: Tensor | None
        self.register_buffer("where", None if where is None else torch.tensor(where), persistent=False)

    def constant(self) -> Float[Tensor, "1 channels 1 1"]:
        """g(z), one value for each of `channels`."""
        values: Tensor = self.knowledge()
        if self.where is None:
            return values
        return values.new_full((1, self.channels, 1, 1), self.neutral).index_copy(1, self.where, values)

    @abstractmethod
    def forward(self, x: Float[Tensor, "batch c h w"]) -> Float[Tensor, "batch c2 h w"]:
        """`x` bent by the knowledge."""


class Add(Combine):
    """f(x) + g(z): moves the kernel space (alignment of features, refinement of offsets)."""

    neutral = 0.0

    def forward(self, x: Float[Tensor, "batch c h w"]) -> Float[Tensor, "batch c h w"]:
        return x + self.constant()


class Multiply(Combine):
    """f(x) x g(z): scales it (refinement of predictions and anchors, selection of features)."""

    neutral = 1.0

    def forward(self, x: Float[Tensor, "batch c h w"]) -> Float[Tensor, "batch c h w"]:
        return x * self.constant()


class Concat(Combine):
    """[g(z), f(x)]: a precondition that later layers may use. The constant comes first, as in the published code."""

    neutral = 0.0
    widens = 2

    def forward(self, x: Float[Tensor, "batch c h w"]) -> Float[Tensor, "batch c2 h w"]:
        constant = self.constant().expand(x.shape[0], -1, *x.shape[2:])
        return torch.cat([constant, x], dim=1)


class ClusterConv(nn.Conv2d):
    """A 1x1 convolution whose features are bent by another z for every anchor (Table 5, iFA*).

    The `out` rows belong to `clusters` anchors, so many in a row to each; those of anchor k see f(x) * g(z_k).
    """

    def __init__(
        self, channels: int, out: int, clusters: int, operator: type[Combine], modelling: type[Knowledge] = Vector
    ) -> None:
        assert out % clusters == 0
        super().__init__(operator.widens * channels, out, kernel_size=1)
        self.clusters = nn.ModuleList(operator(channels, modelling) for _ in range(clusters))

    def forward(self, x: Float[Tensor, "batch c h w"]) -> Float[Tensor, "batch out h w"]:
        """One convolution an anchor; together they are as much work as the plain one."""
        assert self.bias is not None
        weights, biases = self.weight.chunk(len(self.clusters)), self.bias.chunk(len(self.clusters))
        anchors = zip(self.clusters, weights, biases, strict=True)
        return torch.cat([functional.conv2d(bend(x), weight, bias) for bend, weight, bias in anchors], dim=1)


class InnerProduct(nn.Module):
    """<f(x), g(z_k)> for answer k: manifold reduction (section 3.1, Fig. 3), f(x) being projected features.

    The directions start near unit vectors, as z1 = (1, 0) and z2 = (0, 1) in the figure: answer k begins as
    coordinate k of the projection. More answers than coordinates share them in turn.
    """

    def __init__(self, channels: int, answers: int, modelling: type[Knowledge] = Vector) -> None:
        super().__init__()
        self.directions = nn.ModuleList(modelling(channels, 0.0) for _ in range(answers))
        self.units: Tensor
        units = torch.eye(channels)[torch.arange(answers) % channels]
        self.register_buffer("units", units, persistent=False)

    def matrix(self) -> Float[Tensor, "answers channels"]:
        """One direction a row."""
        return self.units + torch.cat([direction() for direction in self.directions]).flatten(1)

    def forward(self, x: Float[Tensor, "batch c h w"]) -> Float[Tensor, "batch answers h w"]:
        return functional.conv2d(x, self.matrix()[:, :, None, None])
