"""The training loop: from a recipe to a run folder, which can be stopped anywhere and resumed."""

from __future__ import annotations

import time
from collections.abc import Iterable
from dataclasses import asdict, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import torch
from accelerate import Accelerator, InitProcessGroupKwargs

from tacit.data.loader import Batch, TrainingPhotos, training_loader
from tacit.data.sample import Fault
from tacit.data.tickets import TicketSampler
from tacit.errors import ConfigError
from tacit.evaluate import evaluate
from tacit.stages import SCORING, Stages
from tacit.tasks.known import kind_of
from tacit.training.folder import RunFolder
from tacit.training.learner import Learner, reproducible
from tacit.training.recipe import Recipe
from tacit.training.reporter import Reporter, Row, Silent
from tacit.training.start import settled, starting_network
from tacit.training.training_data import gather, leaving_whole, tell_data
from tacit.training.typed_json import plain
from tacit.weights import Record, save

SCORE = " score"
"""Behind a task's name, in the log: its main figure, from 0 to 1."""
CHOICE = "choice"
"""The mean of these scores: the weights with the highest are the best."""
DRAWN_EPOCHS = 3  # the first epochs whose first batch is drawn
PLACES = {"data", "output", "weights", "teacher"}  # paths of one machine: no part of a record that travels


def train(recipe: Recipe, reporter: Reporter | None = None) -> Path:
    """Train as the recipe says. Returns the run folder; `best.safetensors` in it is what to use.

    Raises TacitError for data, weights or options that cannot be used, and DivergedError when the loss is lost.
    """
    absolute = replace(recipe, data=tuple(path.expanduser().resolve() for path in recipe.data))
    return _Run(settled(absolute), None, reporter or Silent()).run()


def resume(path: Path, reporter: Reporter | None = None) -> Path:
    """Go on with the run in a folder, to the same weights as if it had never stopped.

    Raises TacitError if it is no run, its checkpoint is damaged, or its data has changed.
    """
    folder = RunFolder(path)
    return _Run(folder.recipe(), folder, reporter or Silent()).run()


class _Run:
    """One run. Position and history live here, what learns in `learner`, files in `folder`."""

    def __init__(self, recipe: Recipe, folder: RunFolder | None, reporter: Reporter) -> None:
        # precision and accumulation are ours, whatever `accelerate config` says; validation may outlast NCCL's patience
        patience = InitProcessGroupKwargs(timeout=timedelta(hours=6))
        accelerator = Accelerator(cpu=not torch.cuda.is_available(), mixed_precision="no", kwargs_handlers=[patience])
        self.recipe, self.accelerator, self.lead = recipe, accelerator, accelerator.is_main_process
        self.reporter: Reporter = reporter if self.lead else Silent()
        kinds = {name: kind_of(name) for name in recipe.tasks}
        self.data = gather(recipe, kinds)
        last = folder.last if folder is not None and folder.last.is_file() else None
        self.start = starting_network(recipe, self.data.classes, self.data.plans(recipe.knowledge, kinds), resumed=last)
        tell_data(self.data, kinds, self.reporter)
        plan = recipe.optimiser
        self.reporter.note(f"{self.start.origin}, by {plan.algorithm.value} at a rate of {plan.peak:g}")
        largest = max(recipe.size, recipe.start_size or 0)
        samples = self.data.samples
        tasks = {name: self.start.network.task(name) for name in recipe.learn or self.start.network.tasks}
        augment = leaving_whole(recipe.augment, tasks, self.reporter)
        photos = TrainingPhotos(samples, largest, augment, recipe.seed, strict=recipe.strict)
        self.sampler = TicketSampler(
            len(samples),
            recipe.batch,
            seed=recipe.seed,
            size=recipe.size,
            rank=accelerator.process_index,
            world=accelerator.num_processes,
            shares=self.data.shares(recipe.shares),
            pairs=any(task.pairs for task in tasks.values()),
        )
        self.loader = training_loader(photos, self.sampler, tasks, recipe.workers)
        self.learner = Learner(self.start.network, recipe, self.sampler.steps, accelerator)
        self.epoch = self.step = 0
        self.sums: Row = {}
        self.history: list[Row] = []
        self.figures: set[str] = set()
        self.best = -1.0
        self._tell_faults(photos.faults)
        self.folder = folder or (RunFolder.new(recipe.output, recipe) if self.lead else RunFolder(recipe.output))
        self.reporter.note(f"run folder: {self.folder.path}")
        if folder is not None:
            self._restore(folder)
        self.saved_at = time.monotonic()

    def run(self) -> Path:
        with reproducible(self.accelerator.device):
            while self.epoch < self.recipe.epochs:
                self._finish_epoch(self._train_epoch())
        self.accelerator.end_training()
        return self.folder.path

    def _train_epoch(self) -> Row:
        size, started, first = self.recipe.size_at(self.epoch), time.monotonic(), self.step
        self.sampler.begin(self.epoch, step=self.step, size=size)
        for batch in self.loader:
            self._before(batch)
            losses = self.learner.learn(batch, self.epoch, self.step)
            self.step += 1
            self._count({**losses, "boxes": float(len(batch.boxes)), **_taught(batch)})
            self.reporter.step(self.epoch, self.step, self.sampler.steps, losses)
            self._save_sometimes()
        seconds = time.monotonic() - started
        return {
            "epoch": self.epoch + 1,
            "size": size,
            "learning_rate": self.learner.learning_rate,
            **{name: value / self.step for name, value in self.sums.items()},
            **self.learner.take_conflict(),
            "images_per_second": round((self.step - first) * self.recipe.batch / seconds, 2),
            "seconds": round(seconds, 1),
        }

    def _before(self, batch: Batch) -> None:
        self._tell_faults(batch.faults)
        if self.lead and self.step == 0 and self.epoch < DRAWN_EPOCHS:
            self.folder.draw_batch(batch, self.data.classes, self.epoch + 1)

    def _tell_faults(self, faults: Iterable[Fault]) -> None:
        for fault in faults:
            self.reporter.fault(fault)

    def _count(self, values: Row) -> None:
        for name, value in values.items():
            self.sums[name] = self.sums.get(name, 0.0) + value

    def _finish_epoch(self, row: Row) -> None:
        if self.lead:
            row.update(self._validate())
            self._keep(row)
        self.epoch, self.step, self.sums = self.epoch + 1, 0, {}
        self._save()
        self.accelerator.wait_for_everyone()
        self.reporter.epoch(row)

    def _validate(self) -> Row:
        due = (self.epoch + 1) % self.recipe.validate_every == 0 or self.epoch + 1 == self.recipe.epochs
        if not due:
            return {}
        network, row = self.learner.average.network, Row()
        for dataset in dict.fromkeys(self.data.validation.values()):
            tasks = [name for name, chosen in self.data.validation.items() if chosen is dataset]
            metrics = {name: network.task(name).metric(dataset) for name in tasks}
            stages = Stages(network.only(tasks), self.data.classes, self.recipe.size, SCORING)
            evaluation = evaluate(stages, dataset, metrics)
            self._tell_faults(evaluation.faults)
            row.update(evaluation.figures())
            self.figures.update(evaluation.figures())
            row.update({f"{name}{SCORE}": next(iter(one.figures().values()), 0.0) for name, one in metrics.items()})
        scores = [value for name, value in row.items() if name.endswith(SCORE)]
        return {**row, CHOICE: sum(scores) / len(scores)}

    def _keep(self, row: Row) -> None:
        self.history.append(row)
        network, record = self.learner.average.network, self._record(row)
        if row.get(CHOICE, -1.0) > self.best:
            self.best = row[CHOICE]
            save(network, record, self.folder.best)
        save(network, record, self.folder.last)
        self.folder.write_history(self.history)

    def _record(self, row: Row) -> Record:
        recipe, start = plain(asdict(self.recipe)), self.start.record
        validation = dict.fromkeys(self.data.validation.values())
        return Record(
            model=self.recipe.model,
            classes=start.classes,
            input_size=self.recipe.size,
            structure=start.structure,
            tasks=start.tasks,
            licence=start.licence,
            data=tuple(dict.fromkeys(path.resolve().name for path in self.recipe.data)),
            epochs=self.epoch + 1,
            seed=self.recipe.seed,
            recipe={name: value for name, value in recipe.items() if name not in PLACES},
            figures={name: value for name, value in row.items() if name in self.figures},
            scored_on="; ".join(f"{data.root.resolve().name}, {data.split}" for data in validation),
        )

    def _save_sometimes(self) -> None:
        waited = time.monotonic() - self.saved_at > 60 * self.recipe.checkpoint_minutes
        if waited and self.step % self.recipe.accumulate == 0 and self.step < self.sampler.steps:
            self._save()

    def _save(self) -> None:
        if self.lead:
            position = {"epoch": self.epoch, "step": self.step, "sums": self.sums}
            progress = {"best": self.best, "history": self.history}
            self.folder.save_state({**position, **progress, **self._identity(), **self.learner.state()})
        self.saved_at = time.monotonic()

    def _identity(self) -> dict[str, Any]:
        """What must not change between a stop and going on."""
        return {"classes": list(self.data.classes), "photographs": len(self.data.samples)}

    def _restore(self, folder: RunFolder) -> None:
        state = folder.state()
        if state is None:
            return  # killed before the first checkpoint: the run begins again
        if any(state[name] != value for name, value in self._identity().items()):
            raise ConfigError(
                f"{folder.path} was trained on {state['photographs']} photographs of {len(state['classes'])} classes; "
                f"its data now holds {len(self.data.samples)} of {len(self.data.classes)}, or others",
                fix="bring the data back as it was, or start a new run with --weights",
            )
        self.epoch, self.step, self.sums = state["epoch"], state["step"], state["sums"]
        self.best, self.history = state["best"], state["history"]
        self.learner.restore(state)
        self.reporter.note(f"resuming at epoch {self.epoch + 1}, step {self.step + 1}")


def _taught(batch: Batch) -> Row:
    """How many pictures of the batch taught each task, where there are several."""
    counts = {f"{name} images": float(len(lesson.images)) for name, lesson in batch.lessons.items()}
    return counts if len(counts) > 1 else {}
