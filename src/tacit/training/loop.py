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

from tacit.data.loader import Batch, TicketSampler, TrainingPhotos, training_loader
from tacit.data.sample import Fault
from tacit.errors import ConfigError
from tacit.evaluate import evaluate
from tacit.stages import SCORING, Stages
from tacit.training.folder import RunFolder
from tacit.training.learner import Learner, reproducible
from tacit.training.recipe import Recipe, plain
from tacit.training.reporter import Reporter, Row, Silent
from tacit.training.start import starting_network
from tacit.training.training_data import TrainingData, gather
from tacit.weights import Record, save

DRAWN_EPOCHS = 3  # the first epochs whose first batch is drawn
TOLD = 5  # faults that are told one by one
PLACES = {"data", "output", "weights", "teacher"}  # paths of one machine: no part of a record that travels


def train(recipe: Recipe, reporter: Reporter | None = None) -> Path:
    """Train as the recipe says. Returns the run folder; `best.safetensors` in it is what to use.

    Raises TacitError for data, weights or options that cannot be used, and DivergedError when the loss is lost.
    """
    absolute = replace(recipe, data=tuple(path.expanduser().resolve() for path in recipe.data))
    return _Run(absolute, None, reporter or Silent()).run()


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
        self.data = gather(recipe)
        last = folder.last if folder is not None and folder.last.is_file() else None
        self.start = starting_network(recipe, self.data.classes, resumed=last)
        self.faults: set[Fault] = set()
        _tell_data(self.data, self.start.origin, self.reporter)
        largest = max(recipe.size, recipe.start_size or 0)
        samples = self.data.samples
        photos = TrainingPhotos(samples, largest, recipe.augment, recipe.seed, strict=recipe.strict)
        self.sampler = TicketSampler(
            len(samples),
            recipe.batch,
            seed=recipe.seed,
            size=recipe.size,
            rank=accelerator.process_index,
            world=accelerator.num_processes,
        )
        self.loader = training_loader(photos, self.sampler, recipe.workers)
        self.learner = Learner(self.start.network, recipe, self.sampler.steps, accelerator)
        self.epoch = self.step = 0
        self.sums: Row = {}
        self.history: list[Row] = []
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
            self._count({**losses, "boxes": float(len(batch.targets))})
            self.reporter.step(self.epoch, self.step, self.sampler.steps, losses)
            self._save_sometimes()
        seconds = time.monotonic() - started
        return {
            "epoch": self.epoch + 1,
            "size": size,
            "learning_rate": self.learner.learning_rate,
            **{name: value / self.step for name, value in self.sums.items()},
            "images_per_second": round((self.step - first) * self.recipe.batch / seconds, 2),
            "seconds": round(seconds, 1),
        }

    def _before(self, batch: Batch) -> None:
        self._tell_faults(batch.faults)
        if self.lead and self.step == 0 and self.epoch < DRAWN_EPOCHS:
            self.folder.draw_batch(batch, self.data.classes, self.epoch + 1)

    def _tell_faults(self, faults: Iterable[Fault]) -> None:
        for fault in faults:
            if fault not in self.faults:
                self.faults.add(fault)
                self.reporter.note(f"{fault.line()} ({len(self.faults)} so far)")

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
        stages = Stages(self.learner.average.network, self.data.classes, self.recipe.size, SCORING)
        evaluation = evaluate(stages, self.data.validation)
        self._tell_faults(evaluation.faults)
        return {"ap": evaluation.scores.ap or 0.0, "ap50": evaluation.scores.ap50 or 0.0}

    def _keep(self, row: Row) -> None:
        self.history.append(row)
        network, record = self.learner.average.network, self._record(row)
        if row.get("ap", -1.0) > self.best:
            self.best = row["ap"]
            save(network, record, self.folder.best)
        save(network, record, self.folder.last)
        self.folder.write_history(self.history)

    def _record(self, row: Row) -> Record:
        recipe = plain(asdict(self.recipe))
        validation = self.data.validation
        return Record(
            model=self.recipe.model,
            classes=self.data.classes,
            input_size=self.recipe.size,
            structure=self.start.record.structure,
            licence=self.start.record.licence,
            data=tuple(dict.fromkeys(path.resolve().name for path in self.recipe.data)),
            epochs=self.epoch + 1,
            seed=self.recipe.seed,
            recipe={name: value for name, value in recipe.items() if name not in PLACES},
            figures={name: row[name] for name in ("ap", "ap50") if name in row},
            scored_on=f"{validation.root.resolve().name}, {validation.split}",
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


def _tell_data(data: TrainingData, origin: str, reporter: Reporter) -> None:
    boxes = sum(len(sample.boxes) for sample in data.samples)
    reporter.note(
        f"{len(data.samples)} photographs with {boxes} boxes of {len(data.classes)} classes to train on, "
        f"{len(data.validation.samples)} to choose on"
    )
    for fault in sorted(data.faults, key=lambda fault: fault.lost == "nothing")[:TOLD]:  # losses first
        reporter.note(fault.line())
    if len(data.faults) > TOLD:
        reporter.note(f"{len(data.faults)} faults in all; `tacit data` lists them")
    reporter.note(origin)
