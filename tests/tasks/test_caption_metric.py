"""CIDEr-D and BLEU-4, held to the figures of the COCO caption tool (pycocoevalcap 1.2, CIDEr and BLEU without Java)."""

import builtins
import random
import sys
from pathlib import Path

import numpy as np
import pytest

from tacit.data.captions import CaptionLabels
from tacit.data.sample import Dataset, Sample
from tacit.errors import DataError
from tacit.results import Result
from tacit.tasks.caption.answer import Caption
from tacit.tasks.caption.cider import Consensus
from tacit.tasks.caption.metric import CaptionMetric, commonest

WORDS = ["a", "man", "dog", "on", "the", "red", "horse", "rides", "with", "of", "street"]
GOLDEN = [0.0, 0.0, 0.641912, 1.404045, 1.037524, 0.19028, 0.377698, 1.185026, 0.0, 0.261998, 10.0, 2.585424]
GOLDEN_BLEU = 0.2768573536  # of the same sentences, all together


def random_case():
    """Twelve photographs of one to five references, and candidates: random, empty, one word, the reference itself."""
    chance = random.Random(7)
    references = [
        [" ".join(chance.choices(WORDS, k=chance.randint(1, 12))) for _ in range(chance.randint(1, 5))]
        for _ in range(12)
    ]
    candidates = [" ".join(chance.choices(WORDS, k=chance.randint(0, 12))) for _ in range(8)]
    return references, [*candidates, "", "a", references[10][0], references[11][-1]]


def sample(number, captions):
    none = np.zeros(0)
    labels = {CaptionLabels: CaptionLabels(tuple(captions))} if captions else {}
    return Sample(
        Path(f"{number}.jpg"), 40, 30, number, none.reshape(0, 4).astype(np.float32), none.astype(np.int64),
        none.astype(bool), none.astype(np.float32), labels,
    )  # fmt: skip


def result(text, task="caption"):
    none = np.zeros((0, 4), np.float32)
    answers = {task: Caption(text, 0.5)} if text is not None else {}
    return Result(none, none[:, 0], none[:, 0].astype(np.int64), (), 40, 30, answers=answers)


def metric_of(references, candidates):
    metric = CaptionMetric()
    for number, (sentences, text) in enumerate(zip(references, candidates, strict=True)):
        metric.update(sample(number, sentences), result(text))
    return metric


def test_cider_is_the_reference_tools():
    references, candidates = random_case()
    scores = Consensus([[text.split() for text in texts] for texts in references]).scores(
        [text.split() for text in candidates]
    )
    assert scores == pytest.approx(GOLDEN, abs=1e-6)


def test_figures_are_the_reference_tools_and_the_main_one_is_a_part_of_one():
    figures = metric_of(*random_case()).figures()
    assert next(iter(figures)) == "cider_share"
    assert figures["cider"] == pytest.approx(np.mean(GOLDEN), abs=1e-6)
    assert figures["cider_share"] == pytest.approx(figures["cider"] / 10)


def test_bleu_is_the_reference_tools():
    pytest.importorskip("sacrebleu")
    assert metric_of(*random_case()).figures()["bleu4"] == pytest.approx(GOLDEN_BLEU, abs=1e-9)


def test_without_sacrebleu_the_table_says_what_is_missing(monkeypatch):
    real = builtins.__import__

    def without(name, *rest, **more):
        if name.startswith("sacrebleu"):
            raise ImportError(name)
        return real(name, *rest, **more)

    monkeypatch.setattr(builtins, "__import__", without)
    metric = metric_of(*random_case())
    assert set(metric.figures()) == {"cider_share", "cider", "cider_commonest"}
    assert "sacrebleu" in str(metric.tables()[0].rows)
    assert "sacrebleu.metrics.bleu" not in sys.modules or "bleu4" not in metric.figures()


def test_case_and_punctuation_do_not_count():
    references, candidates = random_case()
    shouted = [f"{text.upper()}!" for text in candidates]
    assert metric_of(references, shouted).figures() == metric_of(references, candidates).figures()


def test_saying_one_thing_always_is_scored_for_comparison():
    references = [["a dog", "the red horse runs"], ["A dog.", "a man rides"], ["a street at night"]]
    metric = metric_of(references, ["a dog", "a man rides", "a street at night"])
    always = metric.always("a dog")
    assert metric.figures()["cider_commonest"] == always["cider"] < metric.figures()["cider"]
    assert always == metric_of(references, ["a dog"] * 3).always("a dog")


def test_the_commonest_caption():
    samples = (sample(0, ["A dog.", "the cat"]), sample(1, ["a dog", "The cat!"]), sample(2, []))
    dataset = Dataset(Path("here"), "COCO", "train", (), (), samples, ())
    assert commonest(dataset) == "a dog"  # as often as the cat, and before it
    with pytest.raises(DataError, match="no captions"):
        commonest(Dataset(Path("here"), "COCO", "train", (), (), samples[2:], ()))


def test_a_photograph_counts_once_and_only_with_captions():
    metric = metric_of([["a dog"], []], ["a cat", "a cat"])
    metric.update(sample(0, ["a dog"]), result("a dog"))
    assert dict(metric.tables()[0].rows)["different sentences"] == "1 of 1"
    assert CaptionMetric().figures() == {}
    assert CaptionMetric().tables() == []


def test_a_result_without_a_sentence_is_an_error():
    with pytest.raises(DataError, match="no caption"):
        CaptionMetric().update(sample(0, ["a dog"]), result(None))
