"""What learns: the network, its moving average, the optimiser and its schedule, one step at a time."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import torch
from accelerate import Accelerator
from torch import Tensor, nn

from tacit.data.loader import Batch
from tacit.describe import describe
from tacit.errors import ConfigError, TacitError
from tacit.network import Network, Outputs
from tacit.processor import BFLOAT16_FROM, gains_from_bfloat16, has_bfloat16
from tacit.tasks.task import TaskLoss
from tacit.training.optimiser import MovingAverage, Schedule, build_optimiser
from tacit.training.recipe import Precision, Recipe
from tacit.training.reporter import Row
from tacit.training.teacher import Teacher
from tacit.training.weighing import Weighing, agreement


class DivergedError(TacitError):
    """The loss is no longer a number."""


class Learner:
    """Turns batches into better weights; `average` is what is validated and kept."""

    def __init__(self, network: Network, recipe: Recipe, steps_per_epoch: int, accelerator: Accelerator) -> None:
        self.recipe, self.accelerator, self.steps_per_epoch = recipe, accelerator, steps_per_epoch
        self.device = accelerator.device
        # channels last: faster convolutions on CPUs and GPUs alike (docs/decisions/training-speed.md)
        self.network = network.to(self.device).to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.still = hold_still(self.network, recipe.learn)
        self.learning = self.network.only(recipe.learn) if recipe.learn else self.network  # the rest is not computed
        self.average = MovingAverage(self.network, recipe.optimiser)
        self.teacher = _teacher(recipe, self.network, accelerator)
        self.weighing = Weighing(recipe.balance, list(self.learning.tasks)).to(self.device)
        self.schedule = Schedule(recipe.optimiser, steps_per_epoch, recipe.epochs)
        learners = nn.ModuleList([self.learning, *([self.teacher] if self.teacher else []), self.weighing])
        self.parallel, self.optimiser = accelerator.prepare(self.learning, build_optimiser(learners, recipe))
        self._conflict: dict[str, list[float]] = {}
        self.half = calculates_in_half(self.network, recipe, self.device)

    @property
    def learning_rate(self) -> float:
        """The learning rate of the last step."""
        rate: float = self.optimiser.param_groups[0]["lr"]
        return rate

    def learn(self, batch: Batch, epoch: int, step: int) -> Row:
        """One step on a batch; returns the losses a photograph, over all processes.

        Raises DivergedError, before any weight has changed, when the loss or the gradient is not finite.
        """
        self.learning.train()
        for part in self.still:
            part.eval()  # batch norm would go on learning otherwise
        self.schedule.apply(self.optimiser, epoch * self.steps_per_epoch + step)
        images = batch.images.to(self.device).float().div_(255)
        with torch.autocast(self.device.type, torch.bfloat16, enabled=self.half), self._listening() as shared:
            raw: Outputs = self.parallel(images)
        outputs = {name: [part.float() for part in parts] for name, parts in raw.items()}
        lessons = {name: lesson.to(self.device) for name, lesson in batch.lessons.items()}
        losses = self.learning.losses(outputs, lessons)
        self._look_at_conflict(losses, shared, step)
        loss = self.weighing(losses, {name: len(lesson.images) for name, lesson in lessons.items()})
        total = loss.total + self._every_parameter()
        if self.teacher:
            lesson = self.teacher.loss(images) * self.recipe.teacher_gain
            total = total + lesson * self.recipe.batch
            loss.parts["loss/teacher/features"] = lesson.detach()
        row = self._losses(total.detach() / self.recipe.batch, loss.parts)
        if not all(math.isfinite(value) for value in row.values()):
            raise _diverged(row, batch, epoch, step)
        total.backward()
        due = (step + 1) % self.recipe.accumulate == 0 or step + 1 == self.steps_per_epoch
        if due and not self._update():
            raise _diverged({**row, "gradient": math.nan}, batch, epoch, step)
        return row

    def take_conflict(self) -> Row:
        """The mean cosines between the tasks' gradients since the last call (see `agreement`)."""
        seen, self._conflict = self._conflict, {}
        return {pair: sum(cosines) / len(cosines) for pair, cosines in seen.items()}

    def state(self) -> dict[str, Any]:
        """Everything that the next step depends on."""
        return {
            "network": self.network.state_dict(),
            "average": self.average.network.state_dict(),
            "updates": self.average.updates,
            "optimiser": self.optimiser.state_dict(),
            "teacher": self.teacher.state_dict() if self.teacher else {},
            "weighing": self.weighing.state_dict(),
            "conflict": {pair: list(cosines) for pair, cosines in self._conflict.items()},
        }

    def restore(self, state: dict[str, Any]) -> None:
        """Go back to a `state()`."""
        self.network.load_state_dict(state["network"])
        self.average.network.load_state_dict(state["average"])
        self.average.updates = state["updates"]
        self.optimiser.load_state_dict(state["optimiser"])
        self.weighing.load_state_dict(state["weighing"])
        self._conflict = state["conflict"]
        if self.teacher:
            self.teacher.load_state_dict(state["teacher"])

    def _every_parameter(self) -> Tensor | float:
        """0, through all that learns: processes that share a batch wait for every gradient, also of a task that no
        picture of theirs teaches.
        """
        if self.accelerator.num_processes == 1 or len(self.network.tasks) == 1:
            return 0.0
        return 0.0 * torch.stack([one.sum() for one in self.network.parameters() if one.requires_grad]).sum()

    @contextmanager
    def _listening(self) -> Iterator[list[Tensor]]:
        """Collects the maps that the trunk gives the tasks."""
        shared = list[Tensor]()
        with self.network.trunk.register_forward_hook(lambda _, __, maps: shared.extend(maps)):
            yield shared

    def _look_at_conflict(self, losses: dict[str, TaskLoss], shared: list[Tensor], step: int) -> None:
        every = self.recipe.balance.conflict_every
        if len(losses) > 1 and every and step % every == 0 and self.accelerator.num_processes == 1:
            for pair, cosine in agreement(losses, shared).items():
                self._conflict.setdefault(pair, []).append(float(cosine))

    def _update(self) -> bool:
        """A step of the optimiser; False, and nothing done, when the gradient is not finite."""
        limit = self.recipe.optimiser.clip or math.inf
        norm = nn.utils.clip_grad_norm_(self.network.parameters(), limit)
        if not norm.isfinite():
            return False
        self.optimiser.step()
        self.optimiser.zero_grad()
        self.average.update(self.network)
        return True

    def _losses(self, total: Tensor, parts: dict[str, Tensor]) -> Row:
        values = self.accelerator.reduce(torch.stack([total, *parts.values()]), "mean")
        return dict(zip(("loss", *parts), values.tolist(), strict=True))


def calculates_in_half(network: Network, recipe: Recipe, device: torch.device) -> bool:
    """Whether passes are in bf16; weights, decoding and losses stay in float32.

    By itself where it pays, by a rule and not by the clock, so that a run that is resumed goes on to the same bits: on
    CUDA, and on CPUs that are fast at it for networks above BFLOAT16_FROM (docs/decisions/training-speed.md).
    """
    if recipe.precision is not Precision.AUTO:
        return recipe.precision is Precision.BF16
    if device.type == "cuda":
        return has_bfloat16(device)
    return gains_from_bfloat16(device) and describe(network, recipe.size).gflops >= BFLOAT16_FROM


def hold_still(network: Network, learn: Sequence[str]) -> list[nn.Module]:
    """The parts that do not learn, their parameters frozen: none, or all but the tasks that are named."""
    if not learn:
        return []
    still = [network.trunk, *(task for name, task in network.tasks.items() if name not in learn)]
    for part in still:
        part.requires_grad_(False)
    return still


def _teacher(recipe: Recipe, network: Network, accelerator: Accelerator) -> Teacher | None:
    if recipe.teacher is None:
        return None
    if accelerator.num_processes > 1:
        raise ConfigError("a teacher teaches one process only", fix="start one process, or leave out --teacher")
    return Teacher(recipe.teacher, network).to(accelerator.device)


def _diverged(losses: Row, batch: Batch, epoch: int, step: int) -> DivergedError:
    told = ", ".join(f"{name} {value:g}" for name, value in losses.items())
    return DivergedError(
        f"the loss is lost in epoch {epoch + 1}, step {step + 1} ({told}); the batch was "
        + ", ".join(str(path) for path in batch.paths),
        allowed="finite losses",
        fix="lower optimiser.learning_rate or set optimiser.clip; the run's checkpoint is from before this step",
    )


@contextmanager
def reproducible(device: torch.device) -> Iterator[None]:
    """On a CPU the same recipe gives the same bits; only the gradient of indexing would not by itself."""
    before = torch.are_deterministic_algorithms_enabled()
    debugging: Any = torch.utils.deterministic  # its type stub is empty
    filled = debugging.fill_uninitialized_memory
    torch.use_deterministic_algorithms(before or device.type == "cpu")
    debugging.fill_uninitialized_memory = False  # would write over all new memory first
    try:
        yield
    finally:
        torch.use_deterministic_algorithms(before)
        debugging.fill_uninitialized_memory = filled
