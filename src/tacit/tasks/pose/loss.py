"""The loss of poses: how far the points are off, in parts of the object's size, and whether they are there.

YOLO-pose (Maji et al., CVPR Workshops 2022, eqs. 3 and 4) lowers 1 - OKS, whose gradient vanishes for points that are
far off: on eight photographs learnt by heart it stayed at a mean OKS of 0.56, where smooth L1 of the distance, and
mixtures of the two, came to 0.99. On photographs not seen before they did not differ. So it is smooth L1 alone.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from jaxtyping import Float, Int64
from torch import Tensor
from torch.nn import functional

from tacit.nn.processes import processes, sum_over_processes
from tacit.tasks.task import TaskLoss

POINTS, CONFIDENCE = 0.5, 0.1  # gains
FINE = 0.05  # parts of the object's size, below which a distance counts by its square
FILLED = 0.53  # of a person's box, as COCO's labels have it: a scene knows boxes, not areas


@dataclass(frozen=True, eq=False)
class Wanted:
    """What is asked of every row: points (x, y) in pixels of the input, whether they are labelled (0 not, 1 hidden, 2
    seen), and the object's size, the root of its area in pixels.
    """

    points: Float[Tensor, "rows k 2"]
    visible: Int64[Tensor, "rows k"]
    size: Float[Tensor, " rows"]


def pose_loss(
    points: Float[Tensor, "rows k 2"], confidence: Float[Tensor, "rows k"], wanted: Wanted, images: int
) -> TaskLoss:
    """`points` in pixels of the input, `confidence` before the sigmoid, of all rows that answer for an object.

    Points that nobody labelled teach that they are not to be seen, and nothing of where they are. Means are over the
    rows of all processes, the total is the mean times the images.
    """
    labelled = (wanted.visible > 0).to(points)
    size = wanted.size[:, None, None]
    off = functional.smooth_l1_loss(points / size, wanted.points / size, reduction="none", beta=FINE).sum(2)
    there = functional.binary_cross_entropy_with_logits(confidence, labelled, reduction="none")
    here = torch.stack([labelled.sum(), *points.new_tensor([labelled.numel(), images])])
    counts = sum_over_processes(here) / processes()
    parts = {
        "points": POINTS * (off * labelled).sum() / counts[0].clamp(min=1),
        "confidence": CONFIDENCE * there.sum() / counts[1].clamp(min=1),
    }
    total = torch.stack(list(parts.values())).sum() * (counts[2] * processes())
    return TaskLoss(total, {name: part.detach() for name, part in parts.items()})
