"""The stages around every forward pass: preprocess, forward (with decode), postprocess, each with one type.

Validation, prediction, the server and every engine share them, so that they agree.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

import numpy as np
import torch
from jaxtyping import Float, Float32, UInt8
from torch import Tensor

from tacit.errors import ConfigError
from tacit.geometry.letterbox import Letterbox, place, plan_letterbox
from tacit.geometry.views import AS_IT_IS, View
from tacit.network import Network
from tacit.results import DETECT, Answer, Result
from tacit.runtime.engine import Answers, Engine
from tacit.runtime.torch_engine import TorchEngine
from tacit.tasks.detect.answer import NOTHING, Boxes
from tacit.tasks.task import Sight
from tacit.thresholds import SCORING, Thresholds

__all__ = ["SCORING", "Image", "Stages", "Thresholds"]

Image = UInt8[np.ndarray, "_ _ 3"]


@dataclass
class Stages:
    """Photographs in, results out: `stages([image, ...])`.

    `size` is the long side of the network's input in pixels, a multiple of its stride. A photograph is fitted into the
    smallest rectangle of whole strides, and photographs of one such shape share a forward pass: an answer never
    depends on what else was in the batch. With several `views` (test-time augmentation) the network looks at each of
    them, and the boxes it finds are suppressed together; only detection can answer then. `names` are its classes.
    `network` says what the answers mean; `engine` calculates them, by default the network as it is, and what it answers
    beyond the network's tasks is left aside. `seconds` adds up the time spent in each stage.
    """

    network: Network
    names: tuple[str, ...]
    size: int
    thresholds: Thresholds = field(default_factory=Thresholds)
    views: tuple[View, ...] = AS_IT_IS
    engine: Engine | None = None
    seconds: dict[str, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        stride = self.network.stride
        if self.size < stride or self.size % stride:
            raise ConfigError(f"the network cannot take {self.size} pixels", allowed=f"multiples of {stride}")
        if len(self.views) > 1 and list(self.network.tasks) != [DETECT]:
            self.network = self.network.only([DETECT])
        self._engine = self.engine or TorchEngine(self.network)

    def __call__(self, images: Sequence[Image]) -> list[Result]:
        """One result an image, in order; images are RGB."""
        plans = [self.plan(image) for image in images]
        shapes = dict.fromkeys(plan.target for plan in plans)
        groups = [[i for i, plan in enumerate(plans) if plan.target == shape] for shape in shapes]
        results: dict[int, Result] = {}
        for group in groups:
            results.update(zip(group, self.run([images[i] for i in group], [plans[i] for i in group]), strict=True))
        return [results[i] for i in range(len(images))]

    @torch.inference_mode()
    def run(self, images: Sequence[Image], plans: Sequence[Letterbox]) -> list[Result]:
        """One batch through all stages; all plans have one target."""
        with self._timed("preprocess"):
            batch = self.preprocess(images, plans)
        decoded = self.look(batch)
        with self._timed("postprocess"):
            return self.postprocess(decoded, images, plans)

    def look(self, batch: Float[Tensor, "b 3 h w"]) -> Answers:
        """What the engine answers; detection rows of all views stand behind each other, in pixels of the batch."""
        looks = [self._look_at(view, batch) for view in self.views]
        if len(looks) == 1:
            return looks[0]
        return {DETECT: {"rows": torch.cat([look[DETECT]["rows"] for look in looks], dim=1)}}

    def plan(self, image: Image) -> Letterbox:
        """Where the photograph will lie in the network's input."""
        return self.fit((image.shape[0], image.shape[1]))

    def fit(self, source: tuple[int, int]) -> Letterbox:
        """Where a photograph of so many pixels (height, width) will lie in the network's input."""
        return plan_letterbox(source, self.size, stride=self.network.stride, minimum_rectangle=True)

    def preprocess(self, images: Sequence[Image], plans: Sequence[Letterbox]) -> Float32[Tensor, "b 3 h w"]:
        """Letterboxed photographs in [0, 1] on the engine's device; all plans have one target."""
        return self.batch([place(image, plan) for image, plan in zip(images, plans, strict=True)])

    def batch(self, framed: Sequence[Image]) -> Float32[Tensor, "b 3 h w"]:
        """Pictures that are letterboxed already, in [0, 1] on the engine's device."""
        pixels = torch.from_numpy(np.stack(framed)).to(self.device)
        return pixels.permute(0, 3, 1, 2).float().div_(255)  # b,h,w,3 -> b,3,h,w

    def postprocess(self, decoded: Answers, images: Sequence[Image], plans: Sequence[Letterbox]) -> list[Result]:
        """Suppressed and carried back to the pixels of the photographs."""
        return [
            self.result(decoded, place, image, plan)
            for place, (image, plan) in enumerate(zip(images, plans, strict=True))
        ]

    def result(self, decoded: Answers, place: int, image: Image | None, plan: Letterbox) -> Result:
        """What was answered for the photograph that has this place in the batch; its picture may be left out."""
        answers = dict[str, Answer]()
        for name, batch in decoded.items():
            own = {part: values[place] for part, values in batch.items()}
            answers[name] = self.network.task(name).answer(own, Sight(plan, self.thresholds, answers, self.names))
        found = answers.pop(DETECT, NOTHING)
        assert isinstance(found, Boxes)
        return Result(
            boxes=found.boxes,
            scores=found.scores,
            classes=found.classes,
            names=self.names,
            width=plan.source[1],
            height=plan.source[0],
            image=image,
            answers=answers,
        )

    def _look_at(self, view: View, batch: Float[Tensor, "b 3 h w"]) -> Answers:
        with self._timed("forward"):
            every = self._engine(view.of(batch, self.network.stride))
        answers = {name: every[name] for name in self.network.tasks}
        if view != AS_IT_IS[0]:
            answers[DETECT] = {"rows": view.back(answers[DETECT]["rows"], width=batch.shape[3])}
        return answers

    @property
    def device(self) -> torch.device:
        """Where the engine calculates."""
        return self._engine.device

    @property
    def at_once(self) -> int:
        """How many threads may `look` at the same time (see `Engine`)."""
        return self._engine.at_once

    @contextmanager
    def _timed(self, stage: str) -> Iterator[None]:
        start = time.perf_counter()
        yield
        if torch.cuda.is_available():
            torch.cuda.synchronize()
        self.seconds[stage] = self.seconds.get(stage, 0.0) + time.perf_counter() - start
