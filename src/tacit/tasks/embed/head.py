"""The embedding task: on each level knowledge, a 1x1 convolution, knowledge.

Boxes and vectors come from the same cells in one pass, as in JDE (arXiv 1909.12605). More than a projection of the
features was no help: with 3x3 convolutions of single channels and an activation in front of it, rank-1 on held-out
photographs was lower after the same time (45 % against 55 %; the trunk of nano, frozen, two views of 60 photographs).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Self

import torch
from jaxtyping import Float
from torch import Tensor, nn

from tacit.data.box_rows import box_rows
from tacit.data.identities import UNKNOWN, IdentityLabels, stood_in
from tacit.data.sample import Dataset, Sample, Scene
from tacit.errors import WeightsError
from tacit.nn.uses import Uses
from tacit.tasks.bend import bent, uses_of
from tacit.tasks.cells import flat, positives, shapes_of
from tacit.tasks.detect.answer import Boxes
from tacit.tasks.embed.answer import Vectors
from tacit.tasks.embed.loss import contrastive_loss, unit
from tacit.tasks.embed.metric import IdentityMetric
from tacit.tasks.task import Decoded, Plan, Pyramid, Sight, Targets, Task, TaskLoss

DIMENSION = 64
MOST_DIMENSIONS = 2048


class Embed(Task):
    """Raw maps are (b, dimension, h, w), one a level; a cell's vector becomes the box's that the cell found.

    `identities` says whether named individuals teach it; if not, two views of every object stand in.
    """

    name = "embed"
    needs = ("detect",)
    pairs = True

    def __init__(
        self, pyramid: Pyramid, dimension: int = DIMENSION, *, identities: bool = False, uses: Uses | None = None
    ) -> None:
        super().__init__()
        uses = uses or Uses()
        self.plan = {"dimension": dimension, "identities": identities}
        self.strides, self.anchors, self.identities = pyramid.strides, pyramid.anchors, identities
        self.heads = nn.ModuleList(bent(channels, dimension, uses) for channels in pyramid.channels)

    @classmethod
    def build(cls, pyramid: Pyramid, plan: Plan) -> Self:
        """Raises WeightsError for a plan that is none."""
        dimension, identities = plan.get("dimension", DIMENSION), plan.get("identities", False)
        if not (type(dimension) is int and 2 <= dimension <= MOST_DIMENSIONS):
            raise WeightsError(
                f"vectors of {str(dimension)[:40]!r} dimensions are impossible", allowed=f"2 to {MOST_DIMENSIONS}"
            )
        if not isinstance(identities, bool):
            raise WeightsError(f"identities={str(identities)[:40]!r} is neither yes nor no", allowed="true or false")
        task = cls(pyramid, dimension, identities=identities, uses=uses_of(plan))
        task.plan = dict(plan)
        return task

    @classmethod
    def read(cls, dataset: Dataset) -> Dataset:
        """Where no photograph names individuals, every labelled object becomes one of its own."""
        return stood_in(dataset)

    @classmethod
    def labels(cls, thing: Sample | Scene) -> bool:
        """Whether at least one individual is known."""
        label = thing.label(IdentityLabels)
        return label is not None and bool((label.identities != UNKNOWN).any())

    @classmethod
    def plan_for(cls, datasets: Sequence[Dataset]) -> Plan:
        """Identities, if any of these datasets names individuals."""
        found = (sample.label(IdentityLabels) for dataset in datasets for sample in dataset.samples)
        named = any(label is not None and not label.views for label in found)
        return {"dimension": DIMENSION, "identities": named}

    def targets(self, scenes: Sequence[Scene]) -> Targets:
        """The "objects" of known individuals (image, x, y, w, h in parts of the input) and their "identities"."""
        rows = torch.from_numpy(box_rows(scenes))
        found = [torch.from_numpy(label.identities) for label in (one.label(IdentityLabels) for one in scenes) if label]
        identities = torch.cat([torch.empty(0, dtype=torch.int64), *found])
        assert len(identities) == len(rows)
        known = identities != UNKNOWN
        return {"objects": torch.cat([rows[:, :1], rows[:, 2:]], dim=1)[known], "identities": identities[known]}

    def forward(self, pyramid: Sequence[Float[Tensor, "b _ _ _"]]) -> list[Tensor]:
        """One map (b, dimension, h, w) a level; no vector is of length 1 yet."""
        return [head(level) for level, head in zip(pyramid, self.heads, strict=True)]

    def loss(self, raw: Sequence[Tensor], targets: Targets) -> TaskLoss:
        """See `contrastive_loss`."""
        rows = positives(targets["objects"], shapes_of(raw), self.strides, self.anchors)
        return contrastive_loss(flat(raw), targets["identities"], rows)

    def decode(self, raw: Sequence[Tensor]) -> Decoded:
        """The "vectors" (b, cells, dimension), each of length 1."""
        return {"vectors": unit(flat(raw))}

    def answer(self, decoded: Decoded, sight: Sight) -> Vectors:
        """The vector of each box, from the cell that found it."""
        found = sight.answers["detect"]
        assert isinstance(found, Boxes)
        vectors = decoded["vectors"]
        rows = vectors[torch.from_numpy(found.cells).to(vectors.device)]
        return Vectors(rows.float().cpu().numpy(), views=not self.identities)

    @classmethod
    def metric(cls, dataset: Dataset) -> IdentityMetric:
        """How often an individual is found again, and how often a track changes hands."""
        return IdentityMetric(dataset)
