"""How good tags are: average precision of every tag, F1 of what is said, and top-1 where a photograph has a single one.

Average precision is the one of scikit-learn (`average_precision_score`): the sum over distinct scores of the precision
from there on up, times the recall that is gained there. Tags are matched by name: those that the dataset does not know
are left out, and those that the model does not know score 0.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float32

from tacit.data.sample import Dataset, Sample
from tacit.data.tags import all_single, tags_of, vocabulary
from tacit.errors import DataError
from tacit.results import Result
from tacit.tasks.known_classes import KnownClasses
from tacit.tasks.metric import Metric, Table, percent
from tacit.tasks.tags.answer import SHOWN, Tags

NEVER = -1.0  # the score of a tag that the model does not know
TOP = 5
FIGURES = {
    "top1": "the best tag is the right one",
    "top5": "the right tag is among the best five",
    "tags_map": "mean average precision",
    "tags_f1": f"F1 of the tags above {SHOWN}, all together",
}


@dataclass(frozen=True, eq=False)
class _Row:
    """One photograph, by the dataset's tags."""

    scores: Float32[np.ndarray, " tags"]
    wanted: Bool[np.ndarray, " tags"]
    known: Bool[np.ndarray, " tags"]


class TagMetric(Metric):
    """Figures `tags_map` (over the tags with a positive) and `tags_f1`; for single tags `top1` and `top5` (of more than
    five tags) first, and no F1.
    """

    def __init__(self, dataset: Dataset) -> None:
        self.classes, self.names = dataset.classes, vocabulary([dataset])
        self.single = all_single([dataset])
        self._known = KnownClasses(self.names)
        self._rows: dict[int, _Row] = {}

    def update(self, sample: Sample, result: Result) -> None:
        """Crowds count: a tag says that there is one or more. Raises DataError where the model shares no tag with the
        dataset.
        """
        tags, answer = tags_of(sample, self.classes), result.answer(Tags)
        if tags is None:
            return
        if answer is None:
            raise DataError("this result has no tags to score", allowed="results of a network with the task 'tags'")
        self._known.index(tuple(sorted(answer.names)))
        scores = dict(zip(answer.names, answer.scores.tolist(), strict=True))
        self._rows[sample.id] = _Row(
            np.array([scores.get(name, NEVER) for name in self.names], np.float32),
            self._among(tags.names),
            self._among(tags.names.union(tags.vocabulary)),
        )

    def figures(self) -> dict[str, float]:
        if not self._rows:
            return {}
        all_of_them = self._stacked()
        means = [ap for ap, _ in self._by_tag(all_of_them) if ap is not None]
        mean = {"tags_map": float(np.mean(means))} if means else {}
        return self._top(all_of_them) | mean if self.single else mean | _f1(all_of_them)

    def tables(self) -> list[Table]:
        figures = [(FIGURES[name], percent(value)) for name, value in self.figures().items()]
        by_tag = self._by_tag(self._stacked()) if self._rows else []
        rows = [
            (name, f"{count:,}", percent(ap))
            for name, (ap, count) in zip(self.names, by_tag, strict=False)
            if ap is not None
        ]
        return [Table("tags", ("figure", ""), figures), Table("tags by name", ("tag", "photographs", "AP"), rows)]

    def _among(self, names: frozenset[str]) -> Bool[np.ndarray, " tags"]:
        return np.array([name in names for name in self.names], np.bool_)

    def _stacked(self) -> _Rows:
        rows = self._rows.values()
        return _Rows(*(np.stack([getattr(row, name) for row in rows]) for name in ("scores", "wanted", "known")))

    def _by_tag(self, rows: _Rows) -> list[tuple[float | None, int]]:
        """The average precision of every tag, None without a positive, and how many positives there are."""
        return [
            (average_precision(scores[known], wanted[known]), int(wanted.sum()))
            for scores, wanted, known in zip(rows.scores.T, rows.wanted.T, rows.known.T, strict=True)
        ]

    def _top(self, rows: _Rows) -> dict[str, float]:
        best = np.argsort(np.where(rows.known, -rows.scores, np.inf), axis=1, kind="stable")[:, :TOP]
        right = np.take_along_axis(rows.wanted & (rows.scores > NEVER), best, axis=1)
        top = {"top1": float(right[:, 0].mean())}
        return top | ({"top5": float(right.any(axis=1).mean())} if len(self.names) > TOP else {})


@dataclass(frozen=True, eq=False)
class _Rows:
    scores: Float32[np.ndarray, "photographs tags"]
    wanted: Bool[np.ndarray, "photographs tags"]
    known: Bool[np.ndarray, "photographs tags"]


def average_precision(scores: Float32[np.ndarray, " n"], wanted: Bool[np.ndarray, " n"]) -> float | None:
    """Of photographs with these scores, some of them `wanted`; None where none is. Equal scores come in together."""
    if not wanted.any():
        return None
    if (scores == NEVER).all():
        return 0.0
    order = np.argsort(-scores, kind="stable")
    last = np.append(np.diff(scores[order]) != 0, True)  # of the photographs with one score
    found = wanted[order].cumsum()[last]
    precision = found / (np.flatnonzero(last) + 1)
    return float((precision * np.diff(found, prepend=0)).sum() / found[-1])


def _f1(rows: _Rows) -> dict[str, float]:
    said = (rows.scores > SHOWN) & rows.known
    both = 2 * int((said & rows.wanted).sum())
    either = int(said.sum()) + int(rows.wanted.sum())
    return {"tags_f1": both / either} if either else {}
