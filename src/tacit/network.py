"""A trunk and its tasks: one forward pass, one meaning, one return type."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence

from jaxtyping import Float
from torch import Tensor, nn

from tacit.data.loader import Lesson
from tacit.errors import ConfigError
from tacit.nn.fold import fold
from tacit.tasks.task import Decoded, Task, TaskLoss

Outputs = dict[str, list[Tensor]]
"""Raw maps by task, the images of the batch first."""


class Network(nn.Module):
    """Explicit knowledge f(x) shared by every task; each task bends it with its own implicit knowledge.

    `network(images)` with images (B, 3, H, W) in [0, 1], RGB, sides multiples of `stride`, gives the raw maps of
    every task; `network.decode(outputs)` their answers in pixels and probabilities.

    Tasks stand in such an order that one comes after those it needs. Raises ConfigError where one of these is missing.
    """

    def __init__(self, trunk: nn.Module, tasks: Mapping[str, Task], stride: int) -> None:
        super().__init__()
        self.trunk, self.stride = trunk, stride
        self.tasks = nn.ModuleDict({name: tasks[name] for name in _with_needs(tasks, tasks)})

    def forward(self, images: Float[Tensor, "b 3 h w"]) -> Outputs:
        """Raw maps by task; in training and in evaluation alike."""
        pyramid = self.trunk(images)
        return {name: task(pyramid) for name, task in self.tasks.items()}

    def task(self, name: str) -> Task:
        """The task of that name. Raises ConfigError where the network has none."""
        if name not in self.tasks:
            raise ConfigError(f"these weights know no task {name!r}", allowed=", ".join(self.tasks))
        task = self.tasks[name]
        assert isinstance(task, Task)
        return task

    def only(self, names: Collection[str]) -> Network:
        """The same trunk with these tasks and those they need; the others are not computed. Raises ConfigError."""
        tasks = {name: self.task(name) for name in (*names, *self.tasks)}
        some = Network(self.trunk, {name: tasks[name] for name in _with_needs(names, tasks)}, self.stride)
        return some.train(self.training)

    def decode(self, outputs: Outputs) -> dict[str, Decoded]:
        """What every task answers, by its name."""
        return {name: self.task(name).decode(raw) for name, raw in outputs.items()}

    def losses(self, outputs: Outputs, lessons: Mapping[str, Lesson]) -> dict[str, TaskLoss]:
        """Each task's loss over the images that label it, a sum over them."""
        return {name: self._loss(name, outputs[name], lesson) for name, lesson in lessons.items()}

    def fold(self) -> Network:
        """A copy for deployment, in evaluation mode: the same answers, no batch norm and no knowledge left."""
        return fold(self)

    def _loss(self, name: str, raw: Sequence[Tensor], lesson: Lesson) -> TaskLoss:
        whole = len(lesson.images) == len(raw[0])
        return self.task(name).loss(raw if whole else [part[lesson.images] for part in raw], lesson.targets)


def _with_needs(names: Iterable[str], tasks: Mapping[str, Task]) -> dict[str, None]:
    """The names, each behind those that it needs."""
    order = dict[str, None]()
    for name in names:
        missing = [need for need in tasks[name].needs if need not in tasks]
        if missing:
            raise ConfigError(
                f"the task {name!r} speaks of what {missing[0]!r} finds", fix=f"name {missing[0]!r} among the tasks too"
            )
        order.update(_with_needs(tasks[name].needs, tasks))
        order[name] = None
    return order
