"""The stages around every forward pass: preprocess, forward, decode, postprocess, each with one type.

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
from tacit.geometry.nms import non_maximum_suppression
from tacit.geometry.views import AS_IT_IS, View
from tacit.network import Network, Outputs
from tacit.results import Result

Image = UInt8[np.ndarray, "_ _ 3"]


@dataclass(frozen=True, kw_only=True)
class Thresholds:
    """What counts as found."""

    confidence: float = 0.25
    """Boxes with a lower score are dropped, in [0, 1]."""
    iou: float = 0.5
    """Of two boxes of one class that overlap more than this, the better one stays, in [0, 1]."""
    max_detections: int = 300
    """At most so many boxes a photograph."""
    classes: tuple[int, ...] | None = None
    """Only these class ids; None is all."""

    def __post_init__(self) -> None:
        for name in ("confidence", "iou"):
            if not 0 <= getattr(self, name) <= 1:
                raise ConfigError(f"{name}={getattr(self, name)!r} is impossible", allowed="numbers from 0 to 1")
        if self.max_detections < 1:
            raise ConfigError(f"max_detections={self.max_detections!r} is impossible", allowed="1 or more")


SCORING = Thresholds(confidence=0.001, iou=0.65)
"""The thresholds of the reference's evaluation (official_models, section 9)."""


@dataclass
class Stages:
    """Photographs in, results out: `stages([image, ...])`.

    `size` is the long side of the network's input in pixels, a multiple of its stride. A photograph is fitted into the
    smallest rectangle of whole strides, and photographs of one such shape share a forward pass: an answer never
    depends on what else was in the batch. With several `views` (test-time augmentation) the network looks at each of
    them, and what it finds is suppressed together. `seconds` adds up the time spent in each stage.
    """

    network: Network
    names: tuple[str, ...]
    size: int
    thresholds: Thresholds = Thresholds()
    views: tuple[View, ...] = AS_IT_IS
    seconds: dict[str, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        stride = self.network.stride
        if self.size < stride or self.size % stride:
            raise ConfigError(f"the network cannot take {self.size} pixels", allowed=f"multiples of {stride}")
        self.network.eval()

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

    def look(self, batch: Float[Tensor, "b 3 h w"]) -> Float[Tensor, "b n c"]:
        """Forward and decode: the rows of all views, one view behind the other, in pixels of the batch."""
        rows = [self._look_at(view, batch) for view in self.views]
        return rows[0] if len(rows) == 1 else torch.cat(rows, dim=1)

    def plan(self, image: Image) -> Letterbox:
        """Where the photograph will lie in the network's input."""
        shape = (image.shape[0], image.shape[1])
        return plan_letterbox(shape, self.size, stride=self.network.stride, minimum_rectangle=True)

    def preprocess(self, images: Sequence[Image], plans: Sequence[Letterbox]) -> Float32[Tensor, "b 3 h w"]:
        """Letterboxed photographs in [0, 1] on the network's device; all plans have one target."""
        pixels = np.stack([place(image, plan) for image, plan in zip(images, plans, strict=True)])
        device = next(self.network.parameters()).device
        return torch.from_numpy(pixels).to(device).permute(0, 3, 1, 2).float().div_(255)  # b,h,w,3 -> b,3,h,w

    def forward(self, batch: Float[Tensor, "b 3 h w"]) -> Outputs:
        """Raw maps."""
        outputs: Outputs = self.network(batch)
        return outputs

    def decode(self, outputs: Outputs) -> Float[Tensor, "b n c"]:
        """Rows in pixels of the input and probabilities."""
        return self.network.decode(outputs)

    def postprocess(
        self, decoded: Float[Tensor, "b n c"], images: Sequence[Image], plans: Sequence[Letterbox]
    ) -> list[Result]:
        """Suppressed and carried back to the pixels of the photographs."""
        limits = self.thresholds
        kept = non_maximum_suppression(
            decoded,
            confidence=limits.confidence,
            iou=limits.iou,
            max_detections=limits.max_detections,
            classes=limits.classes,
        )
        return [self._result(*found) for found in zip(kept, images, plans, strict=True)]

    def _look_at(self, view: View, batch: Float[Tensor, "b 3 h w"]) -> Float[Tensor, "b n c"]:
        with self._timed("forward"):
            outputs = self.forward(view.of(batch, self.network.stride))
        with self._timed("decode"):
            return view.back(self.decode(outputs), width=batch.shape[3])

    def _result(self, rows: Float[Tensor, "n 6"], image: Image, plan: Letterbox) -> Result:
        found = rows.float().cpu().numpy()
        return Result(
            boxes=plan.boxes_to_source(found[:, :4]),
            scores=found[:, 4],
            classes=found[:, 5].astype(np.int64),
            names=self.names,
            width=plan.source[1],
            height=plan.source[0],
            image=image,
        )

    @contextmanager
    def _timed(self, stage: str) -> Iterator[None]:
        start = time.perf_counter()
        yield
        if torch.cuda.is_available():
            torch.cuda.synchronize()
        self.seconds[stage] = self.seconds.get(stage, 0.0) + time.perf_counter() - start
