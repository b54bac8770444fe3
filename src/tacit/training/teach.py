"""Teach a frozen network a new task: only the task's own knowledge and head learn, and all others answer as before.

The trunk is folded and asked for its maps without gradients, so that a step costs little more than a prediction. The
figures are those of the last step, on photographs that neither taught nor chose anything.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict

import torch
from jaxtyping import Float
from torch import Tensor, nn

from tacit.data.loader import Batch, TrainingPhotos, training_loader
from tacit.data.sample import Dataset
from tacit.data.tickets import TicketSampler
from tacit.errors import ConfigError
from tacit.evaluate import evaluate
from tacit.network import Network
from tacit.nn.fold import fold
from tacit.stages import SCORING, Stages
from tacit.tasks.known import kind_of
from tacit.tasks.task import Task
from tacit.training.course import Course
from tacit.training.learner import DivergedError, reproducible
from tacit.training.loop import PLACES
from tacit.training.optimiser import Schedule, build_optimiser
from tacit.training.recipe import Recipe
from tacit.training.reporter import Reporter, Silent
from tacit.training.training_data import TrainingData, gather, tell_data
from tacit.training.typed_json import plain
from tacit.weights.files import Weights
from tacit.weights.knowledge_file import MOST, Taught, check_name, halved, new_task, too_large, trunk_hash
from tacit.weights.knowledge_record import KnowledgeRecord
from tacit.weights.record import Record

Pictures = Float[Tensor, "b 3 h w"]
ROOM = 20_000  # bytes of a knowledge file that are not tensors, about


def teach(weights: Weights, course: Course, reporter: Reporter | None = None) -> Taught:
    """What `weights` would answer beside all that they do, after the course; they themselves do not change.

    Raises TacitError for data or options that cannot be used, a name that is taken, or knowledge too large for a file,
    and DivergedError when the loss is lost.
    """
    reporter = reporter or Silent()
    kind = kind_of(course.task)
    check_name(weights.network, course.name, course.task)
    recipe = course.recipe(weights.record.model, weights.record.input_size)
    _check_size(recipe.size, weights.network.stride)
    data = gather(recipe, {course.task: kind})
    tell_data(data, {course.task: kind}, reporter)
    plan = {"task": course.task, **data.plans(course.knowledge, {course.task: kind})[course.task]}
    torch.manual_seed(course.seed)
    task = new_task(weights.record, course.name, plan)
    _require_small(task, weights.record)
    held = data.validation[course.task]
    lesson = _Lesson(weights, course.name, task, recipe)
    before = lesson.figures(held, reporter)
    reporter.note(f"untaught: {_told(before)}")
    with reproducible(lesson.device):
        lesson.run(data, reporter)
    task.load_state_dict(halved(task.state_dict()))  # what the file will hold is what is scored
    after = lesson.figures(held, Silent())
    reporter.note(f"taught: {_told(after)}")
    record = KnowledgeRecord(
        name=course.name,
        task=course.task,
        plan=plan,
        model=weights.record.model,
        trunk=trunk_hash(weights.network.trunk),
        classes=data.classes or tuple(plan.get("names", ())),
        licence=weights.record.licence,
        data=tuple(path.name for path in recipe.data),
        photographs=sum(map(kind.labels, data.samples)),
        epochs=course.epochs,
        seed=course.seed,
        recipe={name: value for name, value in plain(asdict(recipe)).items() if name not in PLACES},
        before=before,
        after=after,
        scored_on=f"{held.root.resolve().name}, {held.split}",
    )
    return Taught(record, task.cpu().state_dict())


class _Lesson:
    """The network of the frozen trunk, the one task, and those it needs."""

    def __init__(self, weights: Weights, name: str, task: Task, recipe: Recipe) -> None:
        self.device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
        self.name, self.task, self.recipe = name, task.to(self.device), recipe
        frozen = fold(weights.network.only(task.needs))
        # channels last: faster convolutions (docs/decisions/training-speed.md)
        frozen.to(self.device).to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        others = {need: frozen.task(need) for need in frozen.tasks}
        self.network = Network(frozen.trunk, {**others, name: self.task}, frozen.stride)
        self.classes = weights.record.classes

    def figures(self, held: Dataset, reporter: Reporter) -> dict[str, float]:
        """The task's figures on these photographs, the main one first; the reporter is told which cannot be read."""
        stages = Stages(self.network, self.classes, self.recipe.size, SCORING)
        metric = self.task.metric(held)
        for fault in evaluate(stages, held, {self.name: metric}).faults:
            reporter.fault(fault)
        return metric.figures()

    def run(self, data: TrainingData, reporter: Reporter) -> None:
        """The whole course."""
        recipe = self.recipe
        photos = TrainingPhotos(data.samples, recipe.size, recipe.augment, recipe.seed)
        for fault in photos.faults:
            reporter.fault(fault)
        sampler = TicketSampler(
            len(data.samples), recipe.batch, seed=recipe.seed, size=recipe.size, pairs=self.task.pairs
        )
        loader = training_loader(photos, sampler, {self.name: self.task}, recipe.workers)
        schedule = Schedule(recipe.optimiser, sampler.steps, recipe.epochs)
        optimiser = build_optimiser(self.task, recipe)
        for epoch in range(recipe.epochs):
            sampler.begin(epoch)
            self.network.eval()
            self.task.train()
            for step, batch in enumerate(loader):
                schedule.apply(optimiser, epoch * sampler.steps + step)
                loss = self._loss(batch)
                if not _learn(self.task, loss, optimiser):
                    raise _diverged(batch, epoch, step)
                reporter.step(epoch, step + 1, sampler.steps, {"loss": float(loss.detach()) / recipe.batch})

    def _loss(self, batch: Batch) -> Float[Tensor, ""]:
        lesson = batch.lessons[self.name].to(self.device)
        with torch.no_grad():
            maps: Sequence[Tensor] = self.network.trunk(batch.images.to(self.device).float().div_(255))
        raw = self.task([level[lesson.images] for level in maps])
        return self.task.loss(raw, lesson.targets).total


def _learn(task: nn.Module, loss: Float[Tensor, ""], optimiser: torch.optim.Optimizer) -> bool:
    """One step; False, and nothing done, where the loss or the gradient is not finite."""
    optimiser.zero_grad()
    if loss.requires_grad:  # not if no photograph of the batch teaches the task
        loss.backward()  # type: ignore[no-untyped-call]
    norm = nn.utils.clip_grad_norm_(task.parameters(), math.inf)
    if not (loss.isfinite() and norm.isfinite()):
        return False
    optimiser.step()
    return True


def _check_size(size: int, stride: int) -> None:
    if size % stride:
        raise ConfigError(f"the network cannot take {size} pixels", allowed=f"multiples of {stride}")


def _require_small(task: Task, record: Record) -> None:
    """Raises WeightsError, before the work, for a task that will not fit into a knowledge file."""
    size = sum(value.numel() * (2 if value.is_floating_point() else 8) for value in task.state_dict().values())
    if size + ROOM > MOST:
        raise too_large(task.name, record.model, size + ROOM)


def _told(figures: dict[str, float]) -> str:
    return ", ".join(f"{name} {value:.4f}" for name, value in figures.items()) or "nothing to score"


def _diverged(batch: Batch, epoch: int, step: int) -> DivergedError:
    return DivergedError(
        f"the loss is lost in epoch {epoch + 1}, step {step + 1}; the batch was "
        + ", ".join(str(path) for path in batch.paths),
        allowed="finite losses",
        fix="lower the learning rate",
    )
