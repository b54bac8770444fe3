"""How good sentences are: CIDEr-D (`cider.py`) and BLEU-4 (sacrebleu, where it is installed).

Both compare words as `words.split` makes them. Published figures come from the Penn Treebank tokenizer (Java), which
cuts a few words in other places ("man 's"); on COCO's captions that moves the figures in the third decimal. CIDEr also
weighs words by how rare they are in the photographs that are scored, so it is comparable only on the same photographs.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import zip_longest

from tacit.data.captions import CaptionLabels
from tacit.data.sample import Dataset, Sample
from tacit.errors import DataError
from tacit.results import Result
from tacit.tasks.caption.answer import Caption
from tacit.tasks.caption.cider import SCALE, Consensus
from tacit.tasks.caption.words import normalised, split
from tacit.tasks.metric import Metric, Table, percent

SHARE, CIDER, BLEU, COMMONEST = "cider_share", "cider", "bleu4", "cider_commonest"


@dataclass(frozen=True)
class _Said:
    sentence: str
    references: tuple[str, ...]


class CaptionMetric(Metric):
    """Figures: `cider_share`, CIDEr as a part of its greatest value, 10; `cider` itself; `bleu4` where sacrebleu is
    installed; `cider_commonest`, the CIDEr of always saying the caption that these photographs have most often.
    """

    def __init__(self) -> None:
        self._said: dict[int, _Said] = {}

    def update(self, sample: Sample, result: Result) -> None:
        """Raises DataError for a result without a sentence."""
        labels, answer = sample.label(CaptionLabels), result.answer(Caption)
        if labels is None:
            return
        if answer is None:
            raise DataError(
                "this result has no caption to score", allowed="results of a network with the task 'caption'"
            )
        self._said[sample.id] = _Said(answer.text, labels.captions)

    def figures(self) -> dict[str, float]:
        if not self._said:
            return {}
        figures = self._scores([said.sentence for said in self._said.values()])
        always = _most_frequent(caption for said in self._said.values() for caption in said.references)
        return figures | {COMMONEST: self.always(always)[CIDER]}

    def always(self, sentence: str) -> dict[str, float]:
        """The figures if that had been said of every photograph counted so far; at least one was."""
        return self._scores([sentence] * len(self._said))

    def tables(self) -> list[Table]:
        figures = self.figures()
        if not figures:
            return []
        rows = [
            ("CIDEr-D", f"{figures[CIDER]:.3f}"),
            ("CIDEr-D of the commonest caption", f"{figures[COMMONEST]:.3f}"),
            ("BLEU-4", percent(figures[BLEU]) if BLEU in figures else "needs the package sacrebleu"),
            ("different sentences", f"{len({said.sentence for said in self._said.values()}):,} of {len(self._said):,}"),
        ]
        return [Table("captions", ("figure", ""), rows)]

    def _scores(self, sentences: Sequence[str]) -> dict[str, float]:
        references = [[split(caption) for caption in said.references] for said in self._said.values()]
        candidates = [split(sentence) for sentence in sentences]
        scores = Consensus(references).scores(candidates)
        cider = sum(scores) / len(scores)
        return {SHARE: cider / SCALE, CIDER: cider} | _bleu(candidates, references)


def commonest(dataset: Dataset) -> str:
    """The caption that the dataset has most often, as words; equally frequent ones by alphabet. Raises DataError."""
    labels = (sample.label(CaptionLabels) for sample in dataset.samples)
    captions = [caption for label in labels if label is not None for caption in label.captions]
    if not captions:
        raise DataError(f"{dataset.root} has no captions")
    return _most_frequent(captions)


def _most_frequent(captions: Iterable[str]) -> str:
    counts = Counter(map(normalised, captions))
    return min(counts, key=lambda caption: (-counts[caption], caption))


def _bleu(candidates: Sequence[Sequence[str]], references: Sequence[Sequence[Sequence[str]]]) -> dict[str, float]:
    """BLEU-4 of all sentences together, without smoothing, as COCO counts it; empty where sacrebleu is missing."""
    try:
        from sacrebleu.metrics.bleu import BLEU as Bleu  # noqa: N811  BLEU is our figure
    except ImportError:
        return {}
    joined = [[" ".join(sentence) for sentence in sentences] for sentences in references]
    streams = [list(stream) for stream in zip_longest(*joined)]  # None where a photograph has fewer references
    bleu = Bleu(tokenize="none", smooth_method="none", force=True)
    return {BLEU: float(bleu.corpus_score([" ".join(words) for words in candidates], streams).score) / 100}
