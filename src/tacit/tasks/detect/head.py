"""The detection task: per level + implicit knowledge, a 1x1 convolution, x implicit knowledge."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import Self

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor, nn

from tacit.data.box_rows import box_rows
from tacit.data.sample import Dataset, Sample, Scene
from tacit.errors import WeightsError
from tacit.geometry.nms import suppress
from tacit.nn.uses import Uses
from tacit.tasks.bend import uses_of
from tacit.tasks.cells import cells_of_rows
from tacit.tasks.detect.anchors import ANCHORS_640, Anchors
from tacit.tasks.detect.answer import Boxes
from tacit.tasks.detect.bent_head import detection_head
from tacit.tasks.detect.gains import DetectGains
from tacit.tasks.detect.loss import detection_loss
from tacit.tasks.detect.metric import DetectionMetric
from tacit.tasks.task import Decoded, Plan, Pyramid, Sight, Targets, Task, TaskLoss

MOST_CLASSES = 10_000
PUBLISHED_USES = Uses()


class Detect(Task):
    """Boxes and classes, `anchors` a cell. Raw maps are (batch, anchors, height, width, 5 + classes) and hold
    x, y, w, h, objectness and class scores before the sigmoid. `uses` says where knowledge bends them.
    """

    name = "detect"

    def __init__(
        self,
        channels: Sequence[int],
        strides: Sequence[int],
        classes: int,
        anchors: Anchors = ANCHORS_640,
        gains: DetectGains | None = None,
        *,
        uses: Uses = PUBLISHED_USES,
    ) -> None:
        super().__init__()
        self.classes, self.channels, self.strides = classes, tuple(channels), tuple(strides)
        self.anchor_sizes = anchors  # as numbers, also where the buffer is without values (device meta)
        self.gains = gains or DetectGains()
        self.plan: Plan = {}
        self.anchors: Tensor  # levels, anchors, (w, h) in pixels
        self.register_buffer("anchors", torch.tensor(anchors, dtype=torch.float32), persistent=False)
        self.heads = nn.ModuleList(detection_head(width, len(anchors[0]), classes, uses) for width in channels)
        self._start_biases()

    @classmethod
    def build(cls, pyramid: Pyramid, plan: Plan) -> Self:
        """`plan` holds the names of the classes."""
        names = plan.get("classes")
        if not isinstance(names, list) or not 0 < len(names) <= MOST_CLASSES:
            raise WeightsError("the record names no classes to detect", allowed=f"1 to {MOST_CLASSES} names")
        task = cls(pyramid.channels, pyramid.strides, len(names), pyramid.anchors, uses=uses_of(plan))
        task.plan = plan
        return task

    @classmethod
    def uses(cls, uses: Uses) -> Uses:
        return replace(uses, reduction=False)

    @classmethod
    def labels(cls, thing: Sample | Scene) -> bool:
        """Every photograph whose boxes are labelled; it may have none."""
        return thing.boxed

    @classmethod
    def enough(cls, samples: Sequence[Sample]) -> bool:
        """Backgrounds alone are not."""
        return any(sample.boxed and not sample.crowd.all() for sample in samples)

    @classmethod
    def plan_for(cls, datasets: Sequence[Dataset]) -> Plan:
        """The classes of the first dataset with boxes."""
        return {"classes": list(next(data.classes for data in datasets if any(map(cls.labels, data.samples))))}

    def targets(self, scenes: Sequence[Scene]) -> Targets:
        """`boxes`: rows of (image, class, x, y, w, h), normalised to the input."""
        return {"boxes": torch.from_numpy(box_rows(scenes))}

    def forward(self, pyramid: Sequence[Float[Tensor, "b _ _ _"]]) -> list[Tensor]:
        """One map (b, anchors, h, w, 5 + classes) a level, before any sigmoid."""
        maps = (head(level) for head, level in zip(self.heads, pyramid, strict=True))
        return [m.unflatten(1, (self.anchors.shape[1], -1)).permute(0, 1, 3, 4, 2) for m in maps]

    def decode(self, raw: Sequence[Float[Tensor, "b a _ _ c"]]) -> Decoded:
        """`rows` (b, n, 5 + classes) of (x, y, w, h in pixels of the input, objectness, class probabilities).

        They are ordered by level, anchor, y, x: xy = (2 s - 0.5 + cell) stride, wh = (2 s)^2 anchor with s the sigmoid
        (official_models, section 5).
        """
        levels = zip(raw, self.strides, self.anchors, strict=True)
        return {"rows": torch.cat([_decode_level(level, stride, size) for level, stride, size in levels], dim=1)}

    def answer(self, decoded: Decoded, sight: Sight) -> Boxes:
        """What is above the threshold and no worse copy of another box."""
        limits, plan = sight.thresholds, sight.letterbox
        found, rows = suppress(
            decoded["rows"],
            confidence=limits.confidence,
            iou=limits.iou,
            max_detections=limits.max_detections,
            classes=limits.classes,
        )
        shapes = [(plan.target[0] // stride, plan.target[1] // stride) for stride in self.strides]
        values = found.float().cpu().numpy()
        return Boxes(
            boxes=plan.boxes_to_source(values[:, :4]),
            inputs=values[:, :4],
            scores=values[:, 4],
            classes=values[:, 5].astype(np.int64),
            cells=cells_of_rows(rows.cpu(), shapes, len(self.anchor_sizes[0])).numpy(),
        )

    @classmethod
    def metric(cls, dataset: Dataset) -> DetectionMetric:
        return DetectionMetric(dataset)

    def loss(self, raw: Sequence[Float[Tensor, "b a _ _ c"]], targets: Targets) -> TaskLoss:
        """`targets["boxes"]` are (image, class, x, y, w, h), normalised to the input."""
        cells = [size / stride for size, stride in zip(self.anchors, self.strides, strict=True)]
        gains = replace(self.gains, classes=self.gains.classes * self.classes / 80)
        return detection_loss(raw, targets["boxes"], cells, gains)

    @torch.no_grad()
    def _start_biases(self) -> None:
        """Start at the frequencies of a typical photograph: about 8 objects of 640 pixels, classes alike."""
        for head, stride in zip(self.heads, self.strides, strict=True):
            assert isinstance(head, nn.Sequential)
            conv = head.get_submodule("conv")
            assert isinstance(conv, nn.Conv2d)
            assert conv.bias is not None
            bias = conv.bias.view(self.anchors.shape[1], -1)
            bias[:, 4] += math.log(8 / (640 / stride) ** 2)
            bias[:, 5:] += math.log(0.6 / (self.classes - 0.99))


def _decode_level(level: Tensor, stride: int, anchors: Float[Tensor, "a 2"]) -> Float[Tensor, "b n _"]:
    _, _, height, width, _ = level.shape
    y, x = torch.meshgrid(
        torch.arange(height, device=level.device), torch.arange(width, device=level.device), indexing="ij"
    )
    cell = torch.stack([x, y], dim=-1).to(level)  # h, w, (x, y)
    chance = level.sigmoid()
    centre = (chance[..., :2] * 2 - 0.5 + cell) * stride
    size = (chance[..., 2:4] * 2) ** 2 * anchors[:, None, None]
    return torch.cat([centre, size, chance[..., 4:]], dim=-1).flatten(1, 3)
