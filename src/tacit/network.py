"""A trunk and its tasks: one forward pass, one meaning, one return type."""

from __future__ import annotations

from collections.abc import Sequence

from jaxtyping import Float
from torch import Tensor, nn

from tacit.nn.fold import fold
from tacit.tasks.task import Task, TaskLoss

Outputs = dict[str, list[Tensor]]  # raw maps by task, one a level


class Network(nn.Module):
    """Explicit knowledge f(x) shared by every task; each task bends it with its own implicit knowledge.

    `network(images)` with images (B, 3, H, W) in [0, 1], RGB, sides multiples of `stride`, gives the raw maps of
    every task; `network.decode(outputs)` the boxes.
    """

    def __init__(self, trunk: nn.Module, tasks: Sequence[Task], stride: int) -> None:
        super().__init__()
        self.trunk, self.stride = trunk, stride
        self.tasks = nn.ModuleDict({task.name: task for task in tasks})

    def forward(self, images: Float[Tensor, "b 3 h w"]) -> Outputs:
        """Raw maps by task; in training and in evaluation alike."""
        pyramid = self.trunk(images)
        return {name: task(pyramid) for name, task in self.tasks.items()}

    def task(self, name: str) -> Task:
        """The task of that name."""
        task = self.tasks[name]
        assert isinstance(task, Task)
        return task

    def decode(self, outputs: Outputs) -> Float[Tensor, "b n c"]:
        """Rows (x, y, w, h in pixels of the input, objectness, class probabilities), ordered by level, anchor, y, x."""
        return self.task("detect").decode(outputs["detect"])

    def loss(self, outputs: Outputs, targets: Float[Tensor, "n 6"]) -> TaskLoss:
        """The sum of the tasks' losses for targets (image, class, x, y, w, h normalised)."""
        losses = {name: self.task(name).loss(raw, targets) for name, raw in outputs.items()}
        parts = {f"{name}/{part}": value for name, loss in losses.items() for part, value in loss.parts.items()}
        total = sum((loss.total for loss in losses.values()), start=targets.new_zeros(()))
        return TaskLoss(total, parts)

    def fold(self) -> Network:
        """A copy for deployment, in evaluation mode: the same answers, no batch norm and no knowledge left."""
        return fold(self)
