"""CIDEr-D: how far a sentence says what most people say of a photograph ("CIDEr", Vedantam et al., 2015, section 5).

Sentences are counts of n-grams, n = 1 to 4, weighted by how rare an n-gram is among the photographs (TF-IDF). A
candidate is compared with each reference by the cosine of these vectors, its counts clipped to the reference's, times a
Gaussian penalty of the difference in length; the mean over n and references, times 10.

The reference tool's figures are met to the last digits (a test holds that). It is not used itself: its package brings
100 MB of Java programs, and the notice on a part of it forbids commercial use; the other library with this score brings
gigabytes of speech and language models.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

ORDERS = 4  # n-grams of one to four words
SIGMA = 6.0  # words, of the penalty of length
SCALE = 10.0

Gram = tuple[str, ...]


@dataclass(frozen=True, eq=False)
class _Vector:
    """A sentence: for each n the weights of its n-grams and their Euclidean length; and its number of word pairs, which
    is what the reference tool calls its length.
    """

    weights: tuple[dict[Gram, float], ...]
    lengths: tuple[float, ...]
    pairs: int


class Consensus:
    """What people say of a set of photographs: `references`, the sentences (as words) of each photograph."""

    def __init__(self, references: Sequence[Sequence[Sequence[str]]]) -> None:
        self.references = references
        self._photographs: Counter[Gram] = Counter()  # in how many an n-gram is said
        for sentences in references:
            self._photographs.update({gram for sentence in sentences for gram in _grams(sentence)})
        self._log_count = math.log(max(1, len(references)))

    def scores(self, candidates: Sequence[Sequence[str]]) -> list[float]:
        """CIDEr-D of one candidate (as words) for each photograph, 0 to 10."""
        return [
            _mean([_similarity(vector, reference) for reference in references])
            for vector, references in zip(map(self._vector, candidates), self._vectors, strict=True)
        ]

    @cached_property
    def _vectors(self) -> list[list[_Vector]]:
        return [[self._vector(sentence) for sentence in sentences] for sentences in self.references]

    def _vector(self, sentence: Sequence[str]) -> _Vector:
        weights = tuple(dict[Gram, float]() for _ in range(ORDERS))
        for gram, count in _grams(sentence).items():
            rarity = self._log_count - math.log(max(1, self._photographs[gram]))
            weights[len(gram) - 1][gram] = count * rarity
        lengths = tuple(math.sqrt(sum(weight**2 for weight in order.values())) for order in weights)
        return _Vector(weights, lengths, max(0, len(sentence) - 1))


def _grams(sentence: Sequence[str]) -> Counter[Gram]:
    words = tuple(sentence)
    return Counter(words[i : i + n] for n in range(1, ORDERS + 1) for i in range(len(words) - n + 1))


def _similarity(candidate: _Vector, reference: _Vector) -> float:
    penalty = math.exp(-((candidate.pairs - reference.pairs) ** 2) / (2 * SIGMA**2))
    total = 0.0
    for n in range(ORDERS):
        product, theirs = candidate.lengths[n] * reference.lengths[n], reference.weights[n]
        if product:
            shared = ((weight, theirs[gram]) for gram, weight in candidate.weights[n].items() if gram in theirs)
            total += sum(min(ours, weight) * weight for ours, weight in shared) / product
    return SCALE * penalty * total / ORDERS


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values) if values else 0.0
