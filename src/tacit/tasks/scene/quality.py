"""Panoptic quality as panopticapi counts it (Kirillov et al., arXiv 1801.00868, section 4)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float64

from tacit.data.segments import VOID, Segments

MATCH = 0.5  # two segments are one above this IoU; no segment has two such partners
IGNORED = 0.5  # a found segment that lies further than this in void or a crowd is no mistake

Tally = dict[str, Float64[np.ndarray, "4"]]
"""By class: the sum of the IoU of matched pairs, their number, segments found in error, segments missed."""
OVERLAP, MATCHED, WRONG, MISSED = np.eye(4)


@dataclass(frozen=True)
class Quality:
    """Means over the classes that were labelled or found; `pq` = `sq` x `rq` holds for each class, not for them."""

    pq: float
    sq: float
    rq: float
    by_class: dict[str, float]
    """The PQ of each."""


def compare(wanted: Segments, found: Segments) -> Tally:
    """One photograph. Segments without a name are known to be nothing of the classes: they match nothing and miss
    nothing, and what is found on them is wrong. Segments without a pixel are none.
    """
    tally: Tally = {}
    shared, size = _shared(wanted, found), (_areas(wanted), _areas(found))
    truths = {one.id: one for one in wanted.segments if one.name is not None and one.id in size[0]}
    answers = {one.id: one for one in found.segments if one.name is not None and one.id in size[1]}
    met, used = set[int](), set[int]()
    for (truth, answer), common in shared.items():
        one, other = truths.get(truth), answers.get(answer)
        if one is None or other is None or one.crowd or one.name != other.name:
            continue
        overlap = common / (size[0][truth] + size[1][answer] - common - shared.get((VOID, answer), 0))
        if overlap > MATCH:
            met.add(truth)
            used.add(answer)
            _count(tally, one.name, MATCHED + overlap * OVERLAP)
    for one in truths.values():
        if not one.crowd and one.id not in met:
            _count(tally, one.name, MISSED)
    for other in answers.values():
        free = [VOID, *(one.id for one in truths.values() if one.crowd and one.name == other.name)]
        ignored = sum(shared.get((number, other.id), 0) for number in free)
        if other.id not in used and ignored <= IGNORED * size[1][other.id]:
            _count(tally, other.name, WRONG)
    return tally


def quality(tallies: Iterable[Tally]) -> Quality | None:
    """Of all photographs together; None where nothing was labelled or found."""
    total: Tally = {}
    for tally in tallies:
        for name, counts in tally.items():
            _count(total, name, counts)
    if not total:
        return None
    overlap, matched, wrong, missed = np.stack(list(total.values())).T
    rq = matched / (matched + wrong / 2 + missed / 2)
    sq = overlap / np.maximum(matched, 1)
    by_class = dict(zip(total, (sq * rq).tolist(), strict=True))
    return Quality(float((sq * rq).mean()), float(sq.mean()), float(rq.mean()), by_class)


def _shared(wanted: Segments, found: Segments) -> dict[tuple[int, int], int]:
    """How many pixels two segments have in common, by (wanted, found) number."""
    base = int(found.ids.max(initial=0)) + 1
    pairs, counts = np.unique(wanted.ids * base + found.ids, return_counts=True)
    return {divmod(pair, base): count for pair, count in zip(pairs.tolist(), counts.tolist(), strict=True)}


def _areas(segments: Segments) -> dict[int, int]:
    numbers, counts = np.unique(segments.ids, return_counts=True)
    return dict(zip(numbers.tolist(), counts.tolist(), strict=True))


def _count(tally: Tally, name: str | None, counts: Float64[np.ndarray, "4"]) -> None:
    assert name is not None
    tally[name] = tally.get(name, np.zeros(4)) + counts
