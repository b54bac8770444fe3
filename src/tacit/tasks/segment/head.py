"""The segmentation task: prototypes from the finest level, coefficients from every cell (YOLACT, arXiv 1904.02689)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Self

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional

from tacit.data.masks import MaskLabels
from tacit.data.sample import Dataset, Sample, Scene
from tacit.errors import WeightsError
from tacit.nn.blocks import ConvBNAct
from tacit.nn.uses import Uses
from tacit.tasks.bend import bent, uses_of
from tacit.tasks.cells import flat, positives, shapes_of
from tacit.tasks.detect.answer import Boxes
from tacit.tasks.segment.answer import Masks
from tacit.tasks.segment.loss import MaskTargets, mask_loss
from tacit.tasks.segment.metric import MaskMetric
from tacit.tasks.segment.paste import pasted
from tacit.tasks.task import Decoded, Plan, Pyramid, Sight, Targets, Task, TaskLoss

PROTOTYPES = 32
MOST_PROTOTYPES = 1024
FINER = 2  # pixels of a prototype along one cell of the finest level


class Segment(Task):
    """A mask is sigmoid(coefficients . prototypes), cut out by its box.

    Raw maps are the prototypes (b, k, 2 h, 2 w), h and w of the finest level, and one map of coefficients (b, k, h, w)
    a level. The coarser levels are aligned with the finest by knowledge of their own and added to it (paper, Fig. 4).
    """

    name = "segment"
    needs = ("detect",)

    def __init__(self, pyramid: Pyramid, prototypes: int = PROTOTYPES, uses: Uses | None = None) -> None:
        super().__init__()
        uses = uses or Uses()
        self.plan = {"prototypes": prototypes}
        self.strides, self.anchors, self.prototypes = pyramid.strides, pyramid.anchors, prototypes
        finest, *coarser = pyramid.channels
        width = max(finest // 2, 16)
        self.coarser = nn.ModuleList(bent(channels, finest, uses) for channels in coarser)
        self.mix = ConvBNAct(finest, width, 3)
        self.project = bent(width, prototypes * FINER**2, uses)
        self.coefficients = nn.ModuleList(bent(channels, prototypes, uses) for channels in pyramid.channels)

    @classmethod
    def build(cls, pyramid: Pyramid, plan: Plan) -> Self:
        """Raises WeightsError for a plan that is none."""
        prototypes = plan.get("prototypes", PROTOTYPES)
        if not (type(prototypes) is int and 1 <= prototypes <= MOST_PROTOTYPES):
            raise WeightsError(
                f"{str(prototypes)[:40]!r} is no number of prototypes", allowed=f"whole numbers to {MOST_PROTOTYPES}"
            )
        task = cls(pyramid, prototypes, uses_of(plan))
        task.plan = dict(plan)
        return task

    @classmethod
    def labels(cls, thing: Sample | Scene) -> bool:
        """Whether at least one object has a mask."""
        label = thing.label(MaskLabels)
        return label is not None and len(label.rows) > 0

    @classmethod
    def plan_for(cls, datasets: Sequence[Dataset]) -> Plan:
        """The same for every dataset: a mask has no class of its own."""
        assert datasets
        return {"prototypes": PROTOTYPES}

    def targets(self, scenes: Sequence[Scene]) -> Targets:
        """The "objects" (image, x, y, w, h in parts of the input) and their "masks" (n, h, w), 0 or 1, at the
        scale of the prototypes.

        Only objects with a mask teach; one too thin to show at this scale does not.
        """
        finer = self.strides[0] // FINER
        boxes, masks = [np.zeros((0, 5), np.float32)], list[np.ndarray]()
        for number, scene in enumerate(scenes):
            height, width = scene.image.shape[:2]
            label = scene.label(MaskLabels)
            assert label is not None
            drawn = label.raster(height // finer, width // finer, 1 / finer)
            seen = drawn.any((1, 2))
            boxes.append(_in_parts(scene.boxes[label.rows[seen]], number, width, height))
            masks.append(drawn[seen].astype(np.uint8))
        empty = np.zeros((0, 1, 1), np.uint8)
        return {
            "objects": torch.from_numpy(np.concatenate(boxes)),
            "masks": torch.from_numpy(np.concatenate(masks) if masks else empty),
        }

    def forward(self, pyramid: Sequence[Float[Tensor, "b _ _ _"]]) -> list[Tensor]:
        """Prototypes, and one map of coefficients a level."""
        total, *coarser = pyramid
        for level, align, stride in zip(coarser, self.coarser, self.strides[1:], strict=True):
            total = total + functional.interpolate(align(level), scale_factor=stride // self.strides[0])
        prototypes = functional.pixel_shuffle(self.project(self.mix(total)), FINER)
        return [prototypes, *(head(level) for head, level in zip(self.coefficients, pyramid, strict=True))]

    def loss(self, raw: Sequence[Tensor], targets: Targets) -> TaskLoss:
        """Of the pixels about the boxes of objects that have a mask; see `mask_loss`."""
        prototypes, *maps = raw
        objects = targets["objects"]
        rows = positives(objects, shapes_of(maps), self.strides, self.anchors)
        wanted = MaskTargets(objects[:, 1:], targets["masks"])
        return mask_loss(prototypes, flat(maps), wanted, rows)

    def decode(self, raw: Sequence[Tensor]) -> Decoded:
        """The "prototypes" (b, k, h, w) and "coefficients" (b, cells, k): products are masks before the sigmoid."""
        prototypes, *maps = raw
        return {"prototypes": prototypes, "coefficients": flat(maps)}

    def answer(self, decoded: Decoded, sight: Sight) -> Masks:
        """A mask for every box that detection found, from the cell that found it."""
        found = sight.answers["detect"]
        assert isinstance(found, Boxes)
        prototypes, coefficients = decoded["prototypes"].float(), decoded["coefficients"].float()
        mixed = coefficients[torch.from_numpy(found.cells).to(coefficients.device)]  # n, k
        return pasted(prototypes.cpu().numpy(), mixed.cpu().numpy(), found.boxes, sight.letterbox)

    @classmethod
    def metric(cls, dataset: Dataset) -> MaskMetric:
        """COCO's AP of masks."""
        return MaskMetric(dataset)


def _in_parts(boxes: np.ndarray, image: int, width: int, height: int) -> np.ndarray:
    """From xyxy pixels to (image, x, y, w, h in parts of the input)."""
    low, high, side = boxes[:, :2], boxes[:, 2:], np.array([width, height], np.float32)
    number = np.full((len(boxes), 1), image, np.float32)
    return np.concatenate([number, (low + high) / 2 / side, (high - low) / side], axis=1).astype(np.float32)
