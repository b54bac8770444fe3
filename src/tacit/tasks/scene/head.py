"""The scene task: a class for every pixel, from the finest level with the coarser ones added to it.

Of the heads that "YOLOR-based multi-task learning" (arXiv 2309.16921) compares for this task, the one on the single
high-resolution level was best and cheapest; 1x1 projections of the coarser levels are all that is added here.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Self

import numpy as np
import torch
from jaxtyping import Bool, Float, Int64
from torch import Tensor, nn
from torch.nn import functional

from tacit.data.map_read import map_names, with_maps
from tacit.data.maps import OTHER, MapLabels, Meaning, renumbered
from tacit.data.sample import Dataset, Sample, Scene
from tacit.errors import WeightsError
from tacit.nn.blocks import ConvBNAct
from tacit.nn.uses import Uses
from tacit.tasks.bend import bent, uses_of
from tacit.tasks.scene.answer import SceneMap, scene_map
from tacit.tasks.scene.loss import scene_loss
from tacit.tasks.scene.metric import SceneMetric
from tacit.tasks.task import Decoded, Plan, Pyramid, Sight, Targets, Task, TaskLoss

FINER = 2  # pixels of the answer along one cell of the finest level
MOST_CLASSES = 255  # answers are maps of bytes
LONGEST_NAME = 200


class Scenes(Task):
    """One raw map (b, classes, h, w) of scores before the softmax, h and w those of the finest level.

    Class 0 is "other": nothing of the classes that the task knows.
    """

    name = "scene"

    def __init__(self, pyramid: Pyramid, classes: Sequence[str], uses: Uses | None = None) -> None:
        super().__init__()
        self.plan = {"classes": list(classes)}
        self.classes, self.strides = tuple(classes), pyramid.strides
        width = max(pyramid.channels[0] // 2, 8)
        self.laterals = nn.ModuleList(ConvBNAct(channels, width) for channels in pyramid.channels)
        self.mix = ConvBNAct(width, width, 3)
        self.head = bent(width, len(self.classes), uses or Uses())

    @classmethod
    def build(cls, pyramid: Pyramid, plan: Plan) -> Self:
        """Raises WeightsError for a plan that is none."""
        task = cls(pyramid, _classes_of(plan), uses_of(plan))
        task.plan = dict(plan)
        return task

    @classmethod
    def read(cls, dataset: Dataset) -> Dataset:
        """With maps from files of their own, or drawn from complete masks; see `data.map_read`."""
        return with_maps(dataset)

    @classmethod
    def labels(cls, thing: Sample | Scene) -> bool:
        """Whether there is a map, of which at least a pixel is known."""
        return thing.label(MapLabels) is not None

    @classmethod
    def plan_for(cls, datasets: Sequence[Dataset]) -> Plan:
        """The "classes": other, and all that the datasets' maps teach."""
        return {"classes": [OTHER, *map_names(datasets)]}

    def targets(self, scenes: Sequence[Scene]) -> Targets:
        """The "pixels" (n, h, w), at half the finest stride, and what they may be, "allowed" (rows, classes).

        Pixels are rows of `allowed`: row i allows class i alone, the row behind the classes allows all (nothing is
        known), further rows all but some.
        """
        classes, step = len(self.classes), self.strides[0] // FINER
        rows = {frozenset({index}): index for index in range(classes)} | {frozenset(range(classes)): classes}
        maps = list[np.ndarray]()
        for scene in scenes:
            label = scene.label(MapLabels)
            assert label is not None
            meant = [rows.setdefault(self._allowed(meaning), len(rows)) for meaning in label.source.meanings]
            maps.append(renumbered(label.source.pixels()[step // 2 :: step, step // 2 :: step], meant, classes))
        allowed = torch.zeros(len(rows), classes, dtype=torch.bool)
        for some, row in rows.items():
            allowed[row, sorted(some)] = True
        pixels = np.stack(maps).astype(np.int64) if maps else np.zeros((0, 1, 1), np.int64)
        return {"pixels": torch.from_numpy(pixels), "allowed": allowed}

    def forward(self, pyramid: Sequence[Float[Tensor, "b _ _ _"]]) -> list[Tensor]:
        """From the coarsest level to the finest, each projected and added to what came before."""
        total = self.laterals[-1](pyramid[-1])
        for level in range(len(pyramid) - 2, -1, -1):
            factor = float(self.strides[level + 1] // self.strides[level])
            raised = functional.interpolate(total, scale_factor=factor, mode="nearest")
            total = self.laterals[level](pyramid[level]) + raised
        return [self.head(self.mix(total))]

    def loss(
        self, raw: Sequence[Float[Tensor, "b c h w"]], targets: dict[str, Bool[Tensor, "r c"] | Int64[Tensor, "b y x"]]
    ) -> TaskLoss:
        """Cross-entropy with sets of classes; see `scene_loss`."""
        return scene_loss(_finer(raw[0]), targets["pixels"], targets["allowed"])

    def decode(self, raw: Sequence[Float[Tensor, "b c h w"]]) -> Decoded:
        """The "scene" (b, classes, 2 h, 2 w): scores before the softmax, of which the largest is the answer."""
        return {"scene": _finer(raw[0])}

    def answer(self, decoded: Decoded, sight: Sight) -> SceneMap:
        """The map at the resolution of the photograph."""
        return scene_map(decoded["scene"].float().cpu().numpy(), self.classes, sight.letterbox)

    @classmethod
    def metric(cls, dataset: Dataset) -> SceneMetric:
        """mIoU, and PQ where there are instance masks too."""
        return SceneMetric(dataset)

    def _allowed(self, meaning: Meaning) -> frozenset[int]:
        """The classes that a pixel of this meaning may have. What the task has no class for is other."""
        if isinstance(meaning, str):
            return frozenset({self.classes.index(meaning) if meaning in self.classes else 0})
        return frozenset(index for index, name in enumerate(self.classes) if index == 0 or name not in meaning)


def _finer(scores: Float[Tensor, "b c h w"]) -> Float[Tensor, "b c h2 w2"]:
    return functional.interpolate(scores, scale_factor=float(FINER), mode="bilinear", align_corners=False)


def _classes_of(plan: Plan) -> list[str]:
    classes = plan.get("classes")
    sound = (
        isinstance(classes, list)
        and 1 < len(classes) <= MOST_CLASSES
        and all(isinstance(name, str) and 0 < len(name) <= LONGEST_NAME for name in classes)
        and len(set(classes)) == len(classes)
        and classes[0] == OTHER
    )
    if not sound:
        raise WeightsError(
            f"the classes of a scene are {str(classes)[:60]!r}",
            allowed=f'a list of 2 to {MOST_CLASSES} different names, "{OTHER}" first',
        )
    return list(classes or ())
