"""Tags: what a photograph as a whole is called, by people, or by the boxes that are on it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Self

import numpy as np
from jaxtyping import Bool, Float32, Int64

from tacit.data.images import Header
from tacit.data.label import Label, Move
from tacit.data.sample import Dataset, Sample, Scene

LEAST_SEEN = 0.5  # of a photograph, below which nobody vouches for its tags
LEAST_CROWD = 0.25  # of a crowd's box, below which the crowd may be gone


@dataclass(frozen=True, eq=False)
class TagLabels(Label):
    """The `names` that are true of the whole photograph, out of a `vocabulary`; other tags are unknown.

    `single`: every photograph of the source has exactly one.
    """

    names: frozenset[str]
    vocabulary: tuple[str, ...]
    single: bool = False

    def kept(self, rows: Int64[np.ndarray, " k"]) -> Self:  # noqa: ARG002  it speaks of the whole picture
        return self

    def moved(self, move: Move) -> Self | None:
        """None where less than half of the photograph is left: nobody said where in it the tagged thing is, and so it
        may be gone.
        """
        return self if move.seen >= LEAST_SEEN else None

    @classmethod
    def joined(cls, parts: Sequence[Self | None], boxes: Sequence[int]) -> Self | None:  # noqa: ARG003  likewise
        """The tags of all parts, if all have some; a tag is absent only where every part could have told. A picture of
        several parts has no single tag.
        """
        known = [part for part in parts if part is not None]
        if len(parts) == 1:
            return known[0]
        if len(known) < len(parts) or any(part.single for part in known):
            return None
        names = frozenset[str]().union(*(part.names for part in known))
        return cls(names, _shared([part.vocabulary for part in known], names))


@dataclass(frozen=True, eq=False)
class BoxTags(Label):
    """What the boxes of a picture leave open about its tags.

    `vocabulary` are the classes that are boxed wherever they are seen. `crowds` (xyxy) and their names are groups that
    training does not count as boxes, though their class is there to be seen.
    """

    vocabulary: tuple[str, ...]
    crowds: Float32[np.ndarray, "n 4"]
    crowd_names: tuple[str, ...]
    mixed: bool = False
    """Whether the picture is several photographs in one."""

    @property
    def counts(self) -> dict[str, int]:
        """Nothing that people labelled beside the boxes."""
        return {}

    def kept(self, rows: Int64[np.ndarray, " k"]) -> Self:  # noqa: ARG002  it speaks of the whole picture
        return self

    def moved(self, move: Move) -> Self:
        """Crowds of which little is left are forgotten."""
        x0, y0, x1, y1 = self.crowds.T
        corners = np.stack([x0, y0, x1, y0, x1, y1, x0, y1], axis=1).reshape(-1, 2)
        moved = move.points(corners).reshape(-1, 4, 2)
        boxes = np.concatenate([moved.min(axis=1, initial=np.inf), moved.max(axis=1, initial=-np.inf)], axis=1)
        height, width = move.target
        left = boxes.clip(0, (width, height, width, height))
        keep = _area(left) >= LEAST_CROWD * np.maximum(_area(boxes), 1e-9)  # not where a perspective hides a corner
        names = tuple(name for name, stays in zip(self.crowd_names, keep.tolist(), strict=True) if stays)
        return replace(self, crowds=left[keep].astype(np.float32), crowd_names=names)

    @classmethod
    def joined(cls, parts: Sequence[Self | None], boxes: Sequence[int]) -> Self | None:  # noqa: ARG003  likewise
        """A mixture, which says nothing: what several photographs show together is true, and far from what any one of
        them shows. Taught by mosaics of four, nearly all of which show a person, the head saw persons in empty rooms.
        """
        return cls((), np.zeros((0, 4), np.float32), (), mixed=True)


def tagged(path: Path, header: Header, number: int, tags: TagLabels) -> Sample:
    """A photograph that nobody drew boxes on."""
    return Sample(
        path=path,
        width=header.width,
        height=header.height,
        id=number,
        boxes=np.zeros((0, 4), np.float32),
        classes=np.zeros(0, np.int64),
        crowd=np.zeros(0, np.bool_),
        area=np.zeros(0, np.float32),
        labels={TagLabels: tags},
        boxed=False,
    )


def with_box_tags(dataset: Dataset) -> Dataset:
    """The dataset with `BoxTags` on every photograph that has boxes and no tags of its own."""
    plain = BoxTags(dataset.classes, np.zeros((0, 4), np.float32), ())  # shared by all photographs without a crowd
    return replace(dataset, samples=tuple(_with_box_tags(sample, plain) for sample in dataset.samples))


def has_tags(thing: Sample | Scene) -> bool:
    """Whether the picture's own tags, or else its boxes, say which tags it has and which it has not."""
    if thing.label(TagLabels) is not None:
        return True
    more = thing.label(BoxTags)
    return thing.boxed and (more is None or not more.mixed)


def tags_of(thing: Sample | Scene, classes: Sequence[str]) -> TagLabels | None:
    """What the picture's own tags say, or else its boxes, whose `classes` are named; None where neither does."""
    own, more = thing.label(TagLabels), thing.label(BoxTags)
    if own is not None or not has_tags(thing):
        return own
    crowds = frozenset[str]() if more is None else frozenset(more.crowd_names)
    names = crowds | {classes[index] for index in thing.classes.tolist()}
    return TagLabels(names, tuple(classes) if more is None else more.vocabulary)


def vocabulary(datasets: Sequence[Dataset]) -> tuple[str, ...]:
    """Every tag that these datasets may give, once: the classes of boxes first, in their order."""
    boxed = [dataset.classes for dataset in datasets if any(sample.boxed for sample in dataset.samples)]
    own = [label.vocabulary for dataset in datasets for sample in dataset.samples if (label := sample.label(TagLabels))]
    return tuple(dict.fromkeys(name for names in (*boxed, *dict.fromkeys(own)) for name in names))


def all_single(datasets: Sequence[Dataset]) -> bool:
    """Whether every photograph that has tags has exactly one, by its source's own rule."""
    samples = [sample for dataset in datasets for sample in dataset.samples]
    return all(not sample.boxed if (label := sample.label(TagLabels)) is None else label.single for sample in samples)


def _with_box_tags(sample: Sample, plain: BoxTags) -> Sample:
    if not sample.boxed or sample.label(TagLabels) is not None:
        return sample
    crowd: Bool[np.ndarray, " n"] = sample.crowd
    names = tuple(plain.vocabulary[index] for index in sample.classes[crowd].tolist())
    label = replace(plain, crowds=sample.boxes[crowd], crowd_names=names) if names else plain
    return replace(sample, labels={**sample.labels, BoxTags: label})


def _shared(vocabularies: Sequence[tuple[str, ...]], present: frozenset[str]) -> tuple[str, ...]:
    """The tags that all vocabularies know, and those that are `present`."""
    everywhere = set(vocabularies[0]).intersection(*vocabularies[1:]) | present
    return tuple(dict.fromkeys(name for names in vocabularies for name in names if name in everywhere))


def _area(boxes: np.ndarray) -> np.ndarray:
    area: np.ndarray = (boxes[:, 2] - boxes[:, 0]) * (boxes[:, 3] - boxes[:, 1])
    return area
