"""The pose task: every cell says where the points of the object it found are, and how sure it is of each."""

from __future__ import annotations

import math
from collections import OrderedDict
from collections.abc import Sequence
from typing import Self

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor, nn

from tacit.data.box_rows import box_rows
from tacit.data.keypoints import KeypointLabels, Pairs, pairs_of
from tacit.data.sample import Dataset, Sample, Scene
from tacit.errors import DataError
from tacit.geometry.letterbox import Letterbox
from tacit.nn.blocks import ConvBNAct
from tacit.nn.uses import Uses
from tacit.tasks.bend import bent, uses_of, uses_to_json
from tacit.tasks.cells import centres, flat, positives, shapes_of
from tacit.tasks.detect.answer import Boxes
from tacit.tasks.pose.answer import Poses
from tacit.tasks.pose.body import MOST, Body
from tacit.tasks.pose.loss import FILLED, Wanted, pose_loss
from tacit.tasks.pose.metric import PoseMetric, classes_with_points, names_of, pointed
from tacit.tasks.task import Decoded, Plan, Pyramid, Sight, Targets, Task, TaskLoss

NARROWER = 4  # the hidden layers' share of the features' channels
NARROWEST = 16


class Pose(Task):
    """One row a cell: raw maps are (b, 3 k, h, w) with x, y and confidence of each of the k points.

    A point is the cell's centre + raw x the level's typical object, the root of its anchors' mean area.
    """

    name = "pose"
    needs = ("detect",)

    def __init__(self, pyramid: Pyramid, body: Body, uses: Uses | None = None) -> None:
        super().__init__()
        uses = uses or Uses()
        self.body, self.plan = body, {**body.to_json(), "knowledge": uses_to_json(uses)}
        self.points = len(body.names)
        self.strides, self.anchors = pyramid.strides, pyramid.anchors
        self.units = [math.sqrt(sum(w * h for w, h in level) / len(level)) for level in pyramid.anchors]
        self.heads = nn.ModuleList(_head(channels, 3 * self.points, uses) for channels in pyramid.channels)

    @classmethod
    def build(cls, pyramid: Pyramid, plan: Plan) -> Self:
        """Raises WeightsError for a plan that is none."""
        return cls(pyramid, Body.of(plan), uses_of(plan))

    @classmethod
    def labels(cls, thing: Sample | Scene) -> bool:
        """Whether at least one object has a labelled point."""
        label = thing.label(KeypointLabels)
        return label is not None and bool(pointed(label).any())

    @classmethod
    def plan_for(cls, datasets: Sequence[Dataset]) -> Plan:
        """Raises DataError where the datasets label different points."""
        names, lines = names_of(*datasets), _skeleton(datasets)
        return Body(names, lines, pairs_of(names), classes_with_points(*datasets)).to_json()

    def targets(self, scenes: Sequence[Scene]) -> Targets:
        """Of the objects with a labelled point: "boxes" (image, x, y, w, h in parts of the input), "points" (x, y) in
        pixels of the input, and "visible" as COCO numbers it. Raises DataError for labels of other points.

        An object without any does not even teach that its points are unseen: COCO has such rows where nobody looked.
        """
        labels = [self._label(scene) for scene in scenes]
        k = self.points
        known = np.concatenate([np.zeros(0, np.bool_), *(pointed(label) for label in labels)])
        points = np.concatenate([np.zeros((0, k, 2), np.float32), *(label.points for label in labels)])
        visible = np.concatenate([np.zeros((0, k), np.int64), *(label.visible for label in labels)])
        return {
            "boxes": torch.from_numpy(box_rows(scenes)[known][:, [0, 2, 3, 4, 5]]),
            "points": torch.from_numpy(points[known]),
            "visible": torch.from_numpy(visible[known]),
        }

    def forward(self, pyramid: Sequence[Float[Tensor, "b _ _ _"]]) -> list[Tensor]:
        """One map (b, 3 k, h, w) a level."""
        return [head(level) for head, level in zip(self.heads, pyramid, strict=True)]

    def loss(self, raw: Sequence[Tensor], targets: Targets) -> TaskLoss:
        """Of the cells that answer for objects with known points; see `pose_loss`."""
        boxes, shapes = targets["boxes"], shapes_of(raw)
        rows = positives(boxes, shapes, self.strides, self.anchors)
        centre, unit = self._grid(raw)
        values = flat([level.float() for level in raw])[rows.image, rows.cell].reshape(-1, self.points, 3)
        points = centre.float()[rows.cell, None] + values[..., :2] * unit.float()[rows.cell, None, None]
        pixels = shapes[0][0] * shapes[0][1] * self.strides[0] ** 2  # of the input
        sizes = (boxes[:, 3] * boxes[:, 4] * (pixels * FILLED)).sqrt()
        wanted = Wanted(targets["points"][rows.object], targets["visible"][rows.object], sizes[rows.object])
        return pose_loss(points, values[..., 2], wanted, len(raw[0]))

    def decode(self, raw: Sequence[Tensor]) -> Decoded:
        """The "keypoints" (b, cells, k, 3): x and y in pixels of the input, and the confidence."""
        centre, unit = self._grid(raw)
        values = flat(raw).reshape(raw[0].shape[0], -1, self.points, 3)
        points = centre[:, None] + values[..., :2] * unit[:, None, None]
        return {"keypoints": torch.cat([points, values[..., 2:].sigmoid()], dim=3)}

    def answer(self, decoded: Decoded, sight: Sight) -> Poses:
        """The points of the cells that found the boxes; none for boxes of classes that have no such body."""
        found = sight.answers["detect"]
        assert isinstance(found, Boxes)
        points = decoded["keypoints"][torch.from_numpy(found.cells)].float().cpu().numpy()
        points[..., :2] = _to_source(points[..., :2], sight.letterbox)
        others = [number for number, name in enumerate(sight.names) if name not in self.body.classes]
        points[np.isin(found.classes, others)] = (np.nan, np.nan, 0)
        return Poses(points, self.body)

    @classmethod
    def metric(cls, dataset: Dataset) -> PoseMetric:
        return PoseMetric(dataset)

    def _label(self, scene: Scene) -> KeypointLabels:
        label = scene.label(KeypointLabels)
        assert label is not None
        if label.names != self.body.names:
            raise DataError(
                f"a photograph labels the keypoints {', '.join(label.names)[:80]}",
                allowed=f"those of the network: {', '.join(self.body.names)[:80]}",
            )
        return label

    def _grid(self, raw: Sequence[Tensor]) -> tuple[Float[Tensor, "cells 2"], Float[Tensor, " cells"]]:
        """Of every cell its centre, and the typical object of its level, in pixels of the input."""
        shapes = shapes_of(raw)
        sizes = [
            torch.full((height * width,), unit, device=raw[0].device, dtype=raw[0].dtype)
            for (height, width), unit in zip(shapes, self.units, strict=True)
        ]
        return centres(shapes, self.strides, raw[0])[0], torch.cat(sizes)


def _head(channels: int, out: int, uses: Uses) -> nn.Sequential:
    """Three cells by three are seen through few channels: as good as through many, at a third of the cost."""
    hidden = max(channels // NARROWER, NARROWEST)
    return nn.Sequential(
        OrderedDict(
            narrow=ConvBNAct(channels, hidden), look=ConvBNAct(hidden, hidden, 3), answer=bent(hidden, out, uses)
        )
    )


def _skeleton(datasets: Sequence[Dataset]) -> Pairs:
    """The lines of the first photograph that has some, without those that lead nowhere."""
    labels = (sample.label(KeypointLabels) for dataset in datasets for sample in dataset.samples)
    lines = next((label.skeleton for label in labels if label is not None and label.skeleton), ())
    return tuple(line for line in lines if line[0] != line[1])[:MOST]


def _to_source(points: Float[np.ndarray, "n k 2"], plan: Letterbox) -> Float[np.ndarray, "n k 2"]:
    """Points in pixels of the input, moved to pixels of the photograph, and not clipped to it."""
    moved: np.ndarray = (points - np.array(plan.pad, points.dtype)) / np.array(plan.ratio, points.dtype)
    return moved
