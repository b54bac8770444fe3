"""The folder of a run: recipe, one JSON line an epoch, curves and sample batches as PNG, weights, a checkpoint."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from tacit.atomic import replacing
from tacit.data.loader import Batch
from tacit.drawing import draw_boxes
from tacit.errors import ConfigError
from tacit.geometry.boxes import xywh_to_xyxy
from tacit.training.checkpoint import load_checkpoint, save_checkpoint
from tacit.training.curves import draw_curves
from tacit.training.recipe import Recipe
from tacit.training.reporter import Row

SHOWN = 9  # pictures of a batch that are drawn
STATE = {  # what a checkpoint holds
    *("epoch", "step", "sums", "best", "history"),  # where the run is, and what it has seen
    *("classes", "photographs"),  # what it trains on, to notice when that has changed
    *("network", "average", "updates", "optimiser", "teacher", "weighing"),  # what learns
    "conflict",  # what it has seen of the tasks' gradients since the last epoch
}


class RunFolder:
    """Where everything of one run lies; each file is replaced as a whole."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.last, self.best = path / "last.safetensors", path / "best.safetensors"
        self._checkpoint, self._recipe = path / "checkpoint.pt", path / "recipe.json"

    @classmethod
    def new(cls, wanted: Path, recipe: Recipe) -> RunFolder:
        """An empty folder at `wanted`, or at `wanted-2`, ... where that is taken."""
        wanted = wanted.expanduser().resolve()
        path, number = wanted, 1
        while path.exists():
            number += 1
            path = wanted.with_name(f"{wanted.name}-{number}")
        path.mkdir(parents=True)
        folder = cls(path)
        with replacing(folder._recipe) as file:
            file.write(recipe.to_json().encode())
        return folder

    def recipe(self) -> Recipe:
        """The recipe that the run began with."""
        if not self._recipe.is_file():
            raise ConfigError(f"{self.path} is not the folder of a run", fix="name a folder that holds recipe.json")
        return Recipe.from_json(self._recipe.read_text(encoding="utf-8", errors="replace"))

    def save_state(self, state: dict[str, Any]) -> None:
        """Replace the checkpoint."""
        save_checkpoint(state, self._checkpoint)

    def state(self) -> dict[str, Any] | None:
        """The last checkpoint, if the run got that far."""
        return load_checkpoint(self._checkpoint, STATE) if self._checkpoint.exists() else None

    def write_history(self, rows: list[Row]) -> None:
        """One JSON line an epoch, and the curves."""
        with replacing(self.path / "log.jsonl") as file:
            file.writelines((json.dumps(row) + "\n").encode() for row in rows)
        with replacing(self.path / "curves.png") as file:
            draw_curves(rows, file)

    def draw_batch(self, batch: Batch, classes: tuple[str, ...], epoch: int) -> None:
        """The first pictures of a batch with their boxes, as the network sees them."""
        side = batch.images.shape[-1]
        pictures = []
        for position in range(min(SHOWN, len(batch.images))):
            rows = batch.boxes[batch.boxes[:, 0] == position].numpy()
            image = batch.images[position].permute(1, 2, 0).contiguous().numpy()
            pictures.append(draw_boxes(image, xywh_to_xyxy(rows[:, 2:] * side), rows[:, 1].astype(np.int64), classes))
        columns = int(np.ceil(np.sqrt(len(pictures))))
        pictures += [np.full_like(pictures[0], 114)] * (-len(pictures) % columns)
        sheet = np.vstack([np.hstack(pictures[i : i + columns]) for i in range(0, len(pictures), columns)])
        folder = self.path / "batches"
        folder.mkdir(exist_ok=True)
        _, encoded = cv2.imencode(".png", cv2.cvtColor(sheet, cv2.COLOR_RGB2BGR))
        with replacing(folder / f"epoch-{epoch:03d}.png") as file:
            file.write(encoded.tobytes())
