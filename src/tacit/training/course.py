"""How a new task is taught to a frozen network (no torch in here: the command line reads it)."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from tacit.data.augment import Augment
from tacit.nn.uses import Uses
from tacit.training.recipe import Algorithm, Optimiser, Recipe

VARIED = Augment(mosaic=0.0, scale=0.3)
"""Whole photographs: most tasks learn nothing from a mosaic, and the trunk does not learn at all."""


@dataclass(frozen=True, kw_only=True)
class Course:
    """What is taught, with what, for how long."""

    task: str
    """The kind of task, such as tags."""
    data: Path
    """A dataset that labels it, such as a folder with one folder of photographs a class."""
    name: str
    """What the network will call it; no task that it has."""
    epochs: int = 20
    """How often every photograph is seen."""
    size: int | None = None
    """Side of the pictures in pixels; without it the size that the weights were chosen at."""
    batch: int = 8
    """Photographs a step."""
    seed: int = 0
    """Decides initial weights, order and variation."""
    workers: int = 1
    """Processes that prepare pictures; 0 prepares them in the teaching process."""
    learning_rate: float = 0.003
    """Of AdamW, at the start."""
    knowledge: Uses = field(default_factory=Uses)
    """Where the task uses implicit knowledge of its own."""

    def recipe(self, model: str, native: int) -> Recipe:
        """The whole recipe; the model's own size is `native` pixels. Raises ConfigError for what is impossible."""
        return Recipe(
            data=(self.data.expanduser().resolve(),),
            tasks=(self.task,),
            learn=(self.task,),
            model=model,
            epochs=self.epochs,
            size=native if self.size is None else self.size,
            batch=self.batch,
            seed=self.seed,
            workers=self.workers,
            augment=VARIED,
            knowledge=self.knowledge,
            optimiser=Optimiser(
                algorithm=Algorithm.ADAMW,
                learning_rate=self.learning_rate,
                final_factor=0.02,
                momentum=0.9,
                weight_decay=0.02,
                warmup_epochs=1.0,
                warmup_steps=0,
            ),
        )
