"""Batch norm whose statistics are those of the whole batch, on however many processes it lies."""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor, nn

from tacit.nn.processes import processes, sum_over_processes


class BatchNorm(nn.BatchNorm2d):
    """`nn.BatchNorm2d`, and where several processes train together their shares count as one batch.

    torch's own SyncBatchNorm does the same on CUDA only.
    """

    def forward(self, x: Float[Tensor, "b c h w"]) -> Float[Tensor, "b c h w"]:
        if not self.training or processes() == 1:
            return super().forward(x)
        dims = (0, 2, 3)
        count = x.numel() / x.shape[1] * processes()
        mean = sum_over_processes(x.float().sum(dims)) / count
        centred = x - mean.view(1, -1, 1, 1)  # first the mean, then the spread around it: E[x^2] - mean^2 cancels
        variance = sum_over_processes(centred.square().sum(dims)) / count
        self._remember(mean.detach(), variance.detach() * count / (count - 1))
        scale = self.weight * torch.rsqrt(variance + self.eps)
        normed: Tensor = (centred * scale.view(1, -1, 1, 1) + self.bias.view(1, -1, 1, 1)).to(x.dtype)
        return normed

    @torch.no_grad()
    def _remember(self, mean: Tensor, variance: Tensor) -> None:
        assert self.running_mean is not None
        assert self.running_var is not None
        assert self.num_batches_tracked is not None
        assert self.momentum is not None
        self.running_mean.lerp_(mean, self.momentum)
        self.running_var.lerp_(variance, self.momentum)
        self.num_batches_tracked += 1
