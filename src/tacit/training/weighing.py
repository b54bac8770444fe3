"""From the losses of the tasks to one number: weights, stated or learned, and how far the tasks' gradients agree."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import combinations

import torch
from jaxtyping import Float
from torch import Tensor, nn

from tacit.tasks.task import TaskLoss
from tacit.training.balance import Balance


class Weighing(nn.Module):
    """Learned, the weight of task t is exp(-s_t) of the stated one, and s_t itself joins the loss, once an image, so
    that no weight can fall to nothing (Kendall et al. 2018, arXiv 1705.07115, eq. 10 without halves). s starts at 0.
    """

    def __init__(self, balance: Balance, tasks: Sequence[str]) -> None:
        super().__init__()
        self.balance = balance
        self.uncertainty = nn.ParameterDict({name: nn.Parameter(torch.zeros(())) for name in tasks if balance.learned})

    def forward(self, losses: Mapping[str, TaskLoss], images: Mapping[str, int]) -> TaskLoss:
        """The weighted sum, and every part for the log as `loss/task/part`; `images` counts those of each task."""
        totals, parts = list[Tensor](), dict[str, Tensor]()
        for name, loss in losses.items():
            parts.update({f"loss/{name}/{part}": value for part, value in loss.parts.items()})
            weight = self.balance.weights.get(name)
            total = loss.total if weight is None else loss.total * weight
            if name in self.uncertainty:
                doubt = self.uncertainty[name]
                total = total * (-doubt).exp() + doubt * images[name]
                parts[f"{name} weight"] = (-doubt).exp().detach() * (1.0 if weight is None else weight)
            totals.append(total)
        return TaskLoss(torch.stack(totals).sum(), parts)


def agreement(losses: Mapping[str, TaskLoss], shared: Sequence[Tensor]) -> dict[str, Float[Tensor, ""]]:
    """Cosines between the gradients that the tasks send into what they share, as `task and task`, from -1 to 1.

    `shared` are the maps of the pyramid: what the trunk hears of each task. Pairs without a gradient are left out, and
    a trunk that holds still hears nothing.
    """
    gradients, listening = dict[str, Tensor](), [part for part in shared if part.requires_grad]
    for name, loss in losses.items():
        if loss.total.requires_grad and listening:
            parts = torch.autograd.grad(
                loss.total, listening, retain_graph=True, allow_unused=True, materialize_grads=True
            )
            gradients[name] = torch.cat([part.flatten() for part in parts])
    heard = {name: gradient for name, gradient in gradients.items() if gradient.any()}
    return {
        f"{one} and {other}": torch.cosine_similarity(heard[one], heard[other], dim=0)
        for one, other in combinations(heard, 2)
    }
