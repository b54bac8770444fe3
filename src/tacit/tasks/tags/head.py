"""The tagging task: what the photograph as a whole shows, one tag or many."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Self

import numpy as np
import torch
from jaxtyping import Float, Float32
from torch import Tensor, nn

from tacit.data.sample import Dataset, Sample, Scene
from tacit.data.tags import all_single, has_tags, tags_of, vocabulary, with_box_tags
from tacit.errors import DataError, WeightsError
from tacit.nn.uses import Uses
from tacit.tasks.bend import bent, uses_of
from tacit.tasks.tags.answer import Tags
from tacit.tasks.tags.loss import tag_loss
from tacit.tasks.tags.metric import TagMetric
from tacit.tasks.task import Decoded, Plan, Pyramid, Sight, Targets, Task, TaskLoss

MOST_TAGS = 4096
LONGEST_NAME = 200
HIDDEN = 128
TYPICAL = 2  # tags of a photograph, where the biases start


class Tagging(Task):
    """One raw tensor (b, tags), before the sigmoid, or the softmax where a photograph has a `single` tag.

    Every level is pooled, its average beside its maximum, a 1x1 convolution and SiLU project that to HIDDEN channels,
    and the task's knowledge and one more convolution answer. The letterbox's grey border is pooled with the photograph:
    training sees it too, and maxima care little. With nano's trunk frozen, mAP on `everyday/dev` was 0.38 so, 0.36
    without the projection, 0.35 from the coarsest level alone, 0.31 from its average alone.
    """

    name = "tags"
    whole = True

    def __init__(self, channels: Sequence[int], names: Sequence[str], *, single: bool, uses: Uses) -> None:
        super().__init__()
        self.names, self.single = tuple(names), single
        self._place = {name: index for index, name in enumerate(self.names)}
        self.project = nn.Sequential(nn.Conv2d(2 * sum(channels), HIDDEN, kernel_size=1), nn.SiLU())
        self.respond = bent(HIDDEN, len(names), uses)
        self._start_biases()

    @classmethod
    def build(cls, pyramid: Pyramid, plan: Plan) -> Self:
        """`plan` holds the "names" of the tags, the classes of boxes first, and whether a photograph has a "single"
        one of them.
        """
        single = plan.get("single", False)
        if not isinstance(single, bool):
            raise WeightsError(f"whether tags are single is {str(single)[:40]!r}", allowed="true or false")
        task = cls(pyramid.channels, _names(plan.get("names")), single=single, uses=uses_of(plan))
        task.plan = plan
        return task

    @classmethod
    def read(cls, dataset: Dataset) -> Dataset:
        """Remembers crowds, which training counts as no boxes, and which classes the boxes are of."""
        return with_box_tags(dataset)

    @classmethod
    def uses(cls, uses: Uses) -> Uses:
        return replace(uses, clusters=False, offsets=False, sizes=False)

    @classmethod
    def labels(cls, thing: Sample | Scene) -> bool:
        """Every photograph with tags of its own or with labelled boxes, and no mixture of them."""
        return has_tags(thing)

    @classmethod
    def plan_for(cls, datasets: Sequence[Dataset]) -> Plan:
        """All tags of the datasets. Raises DataError for more than there is room for."""
        names = vocabulary(datasets)
        if len(names) > MOST_TAGS:
            raise DataError(f"these datasets have {len(names):,} tags", allowed=f"at most {MOST_TAGS:,}")
        return {"names": list(names), "single": all_single(datasets)}

    def targets(self, scenes: Sequence[Scene]) -> Targets:
        """`wanted` and `known` (images, tags), 1 or 0: the tags that are there, and those of which something is known.

        A scene's class ids are places in the names.
        """
        rows = [self._row(scene) for scene in scenes]
        table = torch.from_numpy(np.stack(rows)) if rows else torch.zeros(0, 2, len(self.names))
        return {"wanted": table[:, 0], "known": table[:, 1]}

    def forward(self, pyramid: Sequence[Float[Tensor, "b _ _ _"]]) -> list[Tensor]:
        """One tensor (b, tags)."""
        pools = [pool for level in pyramid for pool in (level.mean((2, 3), keepdim=True), level.amax((2, 3), True))]
        answers: Tensor = self.respond(self.project(torch.cat(pools, dim=1)))  # b, tags, 1, 1
        return [answers.flatten(1)]

    def loss(self, raw: Sequence[Float[Tensor, "b tags"]], targets: Targets) -> TaskLoss:
        """Cross-entropy, or the binary one where there may be many tags."""
        return tag_loss(raw[0], targets["wanted"], targets["known"], single=self.single)

    def decode(self, raw: Sequence[Float[Tensor, "b tags"]]) -> Decoded:
        """`tags` (b, tags): probabilities; those of single tags have the sum 1."""
        return {"tags": raw[0].softmax(dim=1) if self.single else raw[0].sigmoid()}

    def answer(self, decoded: Decoded, sight: Sight) -> Tags:  # noqa: ARG002  no place in the photograph
        """All tags, the best first."""
        scores = decoded["tags"].float().cpu().numpy()
        order = np.argsort(-scores, kind="stable")
        return Tags(tuple(self.names[index] for index in order.tolist()), scores[order], self.single)

    @classmethod
    def metric(cls, dataset: Dataset) -> TagMetric:
        return TagMetric(dataset)

    def _row(self, scene: Scene) -> Float32[np.ndarray, "2 tags"]:
        tags = tags_of(scene, self.names)
        assert tags is not None
        row = np.zeros((2, len(self.names)), np.float32)
        for line, names in enumerate((tags.names, tags.vocabulary)):
            row[line, [self._place[name] for name in names if name in self._place]] = 1
        row[1] = row.max(axis=0)  # what is there is known to be
        return row

    @torch.no_grad()
    def _start_biases(self) -> None:
        """Start at the frequency of tags on a typical photograph."""
        conv = self.respond.get_submodule("conv")
        assert isinstance(conv, nn.Conv2d)
        assert conv.bias is not None
        rate = min(0.5, TYPICAL / len(self.names))
        conv.bias.fill_(0.0 if self.single else math.log(rate / (1 - rate)))


def _names(names: Any) -> list[str]:
    if not isinstance(names, list) or not 0 < len(names) <= MOST_TAGS:
        raise WeightsError("the record names no tags", allowed=f"1 to {MOST_TAGS} names")
    sound = all(isinstance(name, str) and name.strip() and len(name) <= LONGEST_NAME for name in names)
    if not sound or len(set(names)) < len(names):
        raise WeightsError("a tag has no name of its own", allowed=f"distinct names of 1 to {LONGEST_NAME} letters")
    return names
