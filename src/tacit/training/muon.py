"""Muon: steps of convolutions are made orthogonal, so that every direction of a layer learns equally fast.

The gradient of a layer has a few strong directions and many weak ones; momentum and AdamW follow the strong ones. Muon
(Keller Jordan and others, 2024) replaces the averaged gradient U S V^T by about U V^T. Its step is scaled as in "Muon
is scalable for LLM training" (Liu and others, 2025, arXiv 2502.16982, equation 4), so that one learning rate suits it
and AdamW. Short runs gain most: docs/decisions/weights.md has the measurement.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor, nn

MOMENTUM = 0.95  # as published
STEPS = 5
QUINTIC = (3.4445, -4.7750, 2.0315)  # of Newton-Schulz: brings singular values near 1, fast rather than exact
RMS = 0.2  # of AdamW's typical step, in units of its learning rate


class Muon(torch.optim.AdamW):
    """Muon for parameter groups with `matrices` set, weights of shape (out, in, ...); AdamW for the others."""

    @torch.no_grad()
    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        """One step of every group."""
        for group in self.param_groups:
            for weight in group["params"] if group["matrices"] else ():
                if weight.grad is not None:
                    self._turn(weight, group["lr"], group["weight_decay"])
                    weight.grad = None  # AdamW leaves alone what has no gradient
        return super().step(closure)

    def _turn(self, weight: nn.Parameter, rate: float, decay: float) -> None:
        state = self.state[weight]
        if not state:
            state["step"] = torch.zeros(())  # AdamW wants one when it loads its state
            state["momentum"] = torch.zeros_like(weight)
        assert weight.grad is not None
        state["momentum"].lerp_(weight.grad, 1 - MOMENTUM)
        ahead = weight.grad.lerp(state["momentum"], MOMENTUM).flatten(1)
        turned = orthogonal(ahead) * (RMS * max(ahead.shape) ** 0.5)
        weight.mul_(1 - rate * decay).sub_(turned.view_as(weight), alpha=rate)


def orthogonal(matrix: Float[Tensor, "rows columns"]) -> Float[Tensor, "rows columns"]:
    """About U V^T of `matrix` = U S V^T: singular values come near 1, between 0.7 and 1.2, unless they are tiny.

    Newton-Schulz, X <- (a + b A + c A^2) X with A = X X^T, where only the small square matrices are iterated.
    """
    turned: Tensor
    if matrix.shape[0] > matrix.shape[1]:
        turned = orthogonal(matrix.T)
        return turned.T
    scaled = matrix / (matrix.norm() + 1e-7)
    square = scaled @ scaled.T
    a, b, c = QUINTIC
    one = torch.eye(len(square), device=square.device, dtype=square.dtype)
    product = one
    for _ in range(STEPS):
        polynomial = a * one + b * square + c * square @ square
        product = polynomial @ product
        square = polynomial @ square @ polynomial
    turned = product @ scaled
    return turned
