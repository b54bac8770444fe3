"""The scene loss: cross-entropy where a pixel may be known to be one class, or only not to be some."""

from __future__ import annotations

import torch
from jaxtyping import Bool, Float, Int64
from torch import Tensor

from tacit.nn.processes import processes
from tacit.tasks.task import TaskLoss


def scene_loss(
    scores: Float[Tensor, "b c h w"], pixels: Int64[Tensor, "b y x"], allowed: Bool[Tensor, "rows c"]
) -> TaskLoss:
    """-log of the probability that a pixel's class is an allowed one, the softmax of `scores` over the classes.

    `pixels` name rows of `allowed`: row i < c allows class i alone, row c allows all and so asks for nothing, further
    rows allow all but some ("anything but person": -log(1 - p(person))). The mean over the known pixels of an image is
    that image's loss; the total is their sum, times the number of processes as in detection, where it is averaged.
    """
    classes = scores.shape[1]
    if not len(scores):
        nothing = scores.float().sum()
        return TaskLoss(nothing, {"map": nothing.detach()})
    scores = scores.float()  # half precision is too coarse for the sums below
    every = scores.logsumexp(dim=1)  # b, h, w
    right = scores.gather(1, pixels.clamp(max=classes - 1)[:, None])[:, 0]
    for row in range(classes + 1, len(allowed)):
        right = torch.where(pixels == row, scores[:, allowed[row]].logsumexp(dim=1), right)
    known = (pixels != classes).to(scores)
    each = ((every - right) * known).sum((1, 2)) / known.sum((1, 2)).clamp(min=1)  # b
    return TaskLoss(each.sum() * processes(), {"map": each.mean().detach()})
