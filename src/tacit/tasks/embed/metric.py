"""How well vectors tell individuals apart: rank-1 and mAP, and on films how often a track changes hands.

Where no individuals are labelled, a second view of every photograph stands in for another photograph of the same ones,
and the figures are called so. Each labelled object has the vector of the detection that overlaps it most, by at least
half, of whatever class.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float32, Int64, UInt8

from tacit.data.identities import UNKNOWN, IdentityLabels, Shot
from tacit.data.sample import Dataset, Sample
from tacit.results import Result
from tacit.tasks.detect.matching import overlaps
from tacit.tasks.embed.answer import Vectors
from tacit.tasks.embed.retrieval import NO_CAMERA, Gallery, Retrieval, retrieval
from tacit.tasks.embed.switches import OVERLAP, Frame, identity_switches
from tacit.tasks.embed.tracking import Tracker
from tacit.tasks.embed.views import second_view
from tacit.tasks.metric import Metric, Table, percent

VIEWED = 250  # photographs that get a second view, spread evenly: each costs another prediction
FILM = "identity_switches"


@dataclass(frozen=True, eq=False)
class _Seen:
    """The objects of known individuals in one photograph, their vectors where detection found them."""

    boxes: Float32[np.ndarray, "n 4"]
    identities: Int64[np.ndarray, " n"]
    vectors: Float32[np.ndarray, "n d"]
    found: Bool[np.ndarray, " n"]
    shot: Shot | None


class IdentityMetric(Metric):
    """Takes results one by one; photographs without individuals are passed over."""

    def __init__(self, dataset: Dataset) -> None:
        labels = [(sample.id, label) for sample in dataset.samples if (label := sample.label(IdentityLabels))]
        self.classes = frozenset(dataset.classes)
        self.views = not any(not label.views for _, label in labels)
        step = max(1, -(-len(labels) // VIEWED))
        self._viewed = {number for number, _ in labels[::step]} if self.views else set[int]()
        self._seen: dict[int, _Seen] = {}
        self._results: dict[int, Result] = {}  # of films alone

    def further(
        self, sample: Sample, image: UInt8[np.ndarray, "h w 3"]
    ) -> list[tuple[Sample, UInt8[np.ndarray, "h w 3"]]]:
        """A second view of the photograph where views stand in for individuals, to be predicted and counted too."""
        return [second_view(sample, image)] if sample.id in self._viewed else []

    def update(self, sample: Sample, result: Result) -> None:
        """Counts one photograph, or a second view of one."""
        label, answer = sample.label(IdentityLabels), result.answer(Vectors)
        if label is None:
            return
        assert answer is not None
        known = label.identities != UNKNOWN
        vectors, found = _vectors_of(sample.boxes[known], result, answer)
        self._seen[sample.id] = _Seen(sample.boxes[known], label.identities[known], vectors, found, label.shot)
        if label.shot and label.shot.frame is not None:
            self._results[sample.id] = result

    def figures(self) -> dict[str, float]:
        """`rank1`, `map` and `found`, parts of the queries; named `views_...` where views stand in for individuals. On
        films also `identity_switches`, a count.
        """
        figures = dict[str, float]()
        if scores := self._retrieval():
            start = "views_" if self.views else ""
            figures = {f"{start}rank1": scores.rank1, f"{start}map": scores.mean_ap, f"{start}found": scores.found}
        return figures | ({FILM: float(self._switches())} if self._results else {})

    def tables(self) -> list[Table]:
        """One line, whose title says what stood in for individuals."""
        scores, what = self._retrieval(), "two views of one object" if self.views else "individuals"
        header: tuple[str, ...] = ("queries", "rank-1", "mAP", "detected")
        row: tuple[str, ...] = ("0", *(percent(None),) * 3)
        if scores:
            row = (str(scores.queries), percent(scores.rank1), percent(scores.mean_ap), percent(scores.found))
        if self._results:
            header, row = (*header, "identity switches"), (*row, str(self._switches()))
        return [Table(f"Finding {what} again", header, [row])]

    def _retrieval(self) -> Retrieval | None:
        seen = list(self._seen.values())
        counts = [len(one.identities) for one in seen]
        if not sum(counts):
            return None
        cameras = {name: number for number, name in enumerate(sorted({_camera(one.shot) for one in seen}))}
        numbers = [cameras[_camera(one.shot)] if _camera(one.shot) else NO_CAMERA for one in seen]
        return retrieval(
            Gallery(
                np.concatenate([one.identities for one in seen]),
                np.concatenate([one.vectors for one in seen]),
                np.concatenate([one.found for one in seen]),
                np.repeat(np.arange(len(seen)), counts),
                np.repeat(np.array(numbers, np.int64), counts),
            )
        )

    def _switches(self) -> int:
        films = defaultdict[str, list[tuple[int, int]]](list)
        for number in self._results:
            shot = self._seen[number].shot
            assert shot is not None
            assert shot.frame is not None
            films[shot.camera].append((shot.frame, number))
        return sum(identity_switches(self._frames([number for _, number in sorted(film)])) for film in films.values())

    def _frames(self, numbers: list[int]) -> list[Frame]:
        tracker, frames = Tracker(), list[Frame]()
        for number in numbers:
            seen, result = self._seen[number], self._results[number]
            answer = result.answer(Vectors)
            assert answer is not None
            named = np.array([name in self.classes for name in result.names], bool)
            rows = np.flatnonzero(named[result.classes])
            tracks = tracker.update(result.boxes[rows], result.scores[rows], answer.vectors[rows])
            rows, tracks = rows[tracks >= 0], tracks[tracks >= 0]
            frames.append(Frame(seen.boxes, seen.identities, result.boxes[rows], tracks))
        return frames


def _camera(shot: Shot | None) -> str:
    """Empty for a film: all of an individual may be before its one camera."""
    return shot.camera if shot and shot.frame is None else ""


def _vectors_of(
    boxes: Float32[np.ndarray, "n 4"], result: Result, answer: Vectors
) -> tuple[Float32[np.ndarray, "n d"], Bool[np.ndarray, " n"]]:
    """The vector of each labelled box, and whether there is one."""
    if not len(result.boxes):
        return np.zeros((len(boxes), answer.vectors.shape[1]), np.float32), np.zeros(len(boxes), bool)
    overlap = overlaps(boxes, result.boxes)
    return answer.vectors[overlap.argmax(1)], overlap.max(1) >= OVERLAP
