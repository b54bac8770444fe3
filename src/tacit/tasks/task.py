"""The protocol of a task: everything that depends on what is asked.

A task bends the shared features with its own implicit knowledge (paper, eq. 5) and owns the rest of the way as well:
which labels teach it, what it makes of them, its loss, its answer, its score. Adding a task is one class behind this
protocol and one line in the list of tasks; nothing else asks which task it is.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar, Self

from jaxtyping import Float
from torch import Tensor, nn

from tacit.data.sample import Dataset, Sample, Scene
from tacit.geometry.letterbox import Letterbox
from tacit.nn.uses import Uses
from tacit.results import Answer
from tacit.tasks.detect.anchors import Anchors
from tacit.tasks.metric import Metric
from tacit.thresholds import Thresholds

Plan = Mapping[str, Any]
"""What rebuilds a task, as JSON: names, numbers, knowledge. It comes from files that cannot be trusted."""
Targets = dict[str, Tensor]
"""What the labels of a batch ask for, by name."""
Decoded = dict[str, Tensor]
"""What a task answers, by name, the images of the batch first; these are the outputs of an exported network."""


@dataclass(frozen=True)
class Pyramid:
    """What a task is built on: maps of `channels` at `strides`, finest first, and the trunk's `anchors` (w, h)."""

    channels: tuple[int, ...]
    strides: tuple[int, ...]
    anchors: Anchors


@dataclass(frozen=True, eq=False)
class TaskLoss:
    """What one task asks the optimiser to lower: `total` carries the gradient, `parts` are for the log.

    `total` is a sum over the images that it is about, as the reference back-propagates its detection loss.
    """

    total: Float[Tensor, ""]
    parts: dict[str, Float[Tensor, ""]]


@dataclass(frozen=True, eq=False)
class Sight:
    """One photograph while it is answered: where it lies in the network's input, what counts as found, and the answers
    of the tasks that came before.
    """

    letterbox: Letterbox
    thresholds: Thresholds
    answers: Mapping[str, Answer]
    names: tuple[str, ...] = ()
    """What the classes of the boxes are called, where that is known."""


class Task(nn.Module, ABC):
    """A head on the pyramid and the meaning of what it returns."""

    name: ClassVar[str]
    needs: ClassVar[tuple[str, ...]] = ()
    """Tasks that the network must have too, since this one speaks of what they found; they answer first."""
    plan: Plan
    """What `build` made this task of."""
    whole: ClassVar[bool] = False
    """Whether it speaks of whole photographs, and so learns nothing from mosaics."""
    pairs: bool = False
    """Whether it learns from two differently varied pictures of a photograph, which a batch must then hold."""

    @classmethod
    @abstractmethod
    def build(cls, pyramid: Pyramid, plan: Plan) -> Self:
        """A task with random weights. Raises WeightsError for a plan that is none."""

    @classmethod
    def uses(cls, uses: Uses) -> Uses:
        """Those of a recipe's uses that this task has a place for: not what is about anchors, or whole pictures."""
        return replace(uses, clusters=False, offsets=False, sizes=False, reduction=False)

    @classmethod
    def read(cls, dataset: Dataset) -> Dataset:
        """The dataset with this task's labels, where they stand in files of their own; the readers of `data` know
        masks, keypoints, identities and captions already.
        """
        return dataset

    @classmethod
    @abstractmethod
    def labels(cls, thing: Sample | Scene) -> bool:
        """Whether the photograph, or what augmentation left of it, teaches this task."""

    @classmethod
    def enough(cls, samples: Sequence[Sample]) -> bool:
        """Whether these photographs teach anything at all."""
        return any(map(cls.labels, samples))

    @classmethod
    @abstractmethod
    def plan_for(cls, datasets: Sequence[Dataset]) -> Plan:
        """The plan that answers what the labels of these datasets say; at least one photograph of them `labels`."""

    @abstractmethod
    def targets(self, scenes: Sequence[Scene]) -> Targets:
        """What these scenes (all of them `labels`, and of one size) ask for; calculated where pictures are prepared, by
        processes that know the task's plan and none of its weights.
        """

    @abstractmethod
    def forward(self, pyramid: Sequence[Float[Tensor, "b c h w"]]) -> list[Tensor]:
        """Raw maps, the images of the batch first, before any activation."""

    @abstractmethod
    def loss(self, raw: Sequence[Tensor], targets: Targets) -> TaskLoss:
        """How far the raw maps are from the targets; both are of the same images, of which there may be none."""

    @abstractmethod
    def decode(self, raw: Sequence[Tensor]) -> Decoded:
        """Raw maps -> the answer in pixels of the input and probabilities; tensor operations that export."""

    @abstractmethod
    def answer(self, decoded: Decoded, sight: Sight) -> Answer:
        """The answer for one photograph, from its part of what `decode` gave (without the axis of the batch)."""

    @classmethod
    @abstractmethod
    def metric(cls, dataset: Dataset) -> Metric:
        """Scores the answers on a dataset of which at least one photograph `labels`."""


def with_labels(dataset: Dataset, tasks: Iterable[Task | type[Task]]) -> Dataset:
    """The dataset with what these tasks read from files of their own (`Task.read`)."""
    for task in tasks:
        dataset = task.read(dataset)
    return dataset
