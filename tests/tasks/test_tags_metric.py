"""Average precision against its definition by brute force, F1 and top-k by hand, and partial labels."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tacit.data.sample import Dataset, Sample
from tacit.data.tags import TagLabels
from tacit.errors import DataError
from tacit.results import Result
from tacit.tasks.tags.answer import Tags
from tacit.tasks.tags.head import Tagging
from tacit.tasks.tags.metric import TagMetric, average_precision

NAMES = ("cat", "dog", "sea")


def by_definition(scores, wanted):
    """Sum over thresholds, from high to low, of (recall here - recall before) x precision here."""
    total, before = 0.0, 0.0
    for threshold in sorted(set(scores), reverse=True):
        said = [w for s, w in zip(scores, wanted, strict=True) if s >= threshold]
        recall = sum(said) / sum(wanted)
        total += (recall - before) * sum(said) / len(said)
        before = recall
    return total


@given(st.lists(st.tuples(st.sampled_from([0.0, 0.1, 0.3, 0.5, 0.9, 1.0]), st.booleans()), min_size=1, max_size=30))
def test_average_precision_is_its_definition(rows):
    scores, wanted = (list(column) for column in zip(*rows, strict=True))
    found = average_precision(np.array(scores, np.float32), np.array(wanted))
    assert found is None if not any(wanted) else found == pytest.approx(by_definition(scores, wanted), abs=1e-12)


@pytest.mark.parametrize(
    ("scores", "wanted", "value"),
    [
        ([0.1, 0.4, 0.35, 0.8], [0, 0, 1, 1], 0.8333333),  # the example of scikit-learn's documentation
        ([0.5, 0.5, 0.5, 0.5], [1, 0, 0, 0], 0.25),
        ([0.9, 0.1], [1, 0], 1.0),
        ([-1, -1], [1, 0], 0.0),  # a tag that the model does not know
    ],
)
def test_average_precision_by_hand(scores, wanted, value):
    found = average_precision(np.array(scores, np.float32), np.array(wanted, bool))
    assert found == pytest.approx(value, abs=1e-6)


def sample(number, names=(), vocabulary=NAMES, single=False, classes=(), crowd=(), boxed=False):
    boxes = np.tile(np.array([[0, 0, 9, 9]], np.float32), (len(classes), 1))
    labels = {} if boxed else {TagLabels: TagLabels(frozenset(names), tuple(vocabulary), single)}
    return Sample(
        Path(f"{number}.png"), 64, 64, number, boxes, np.array(classes, np.int64),
        np.array(crowd, np.bool_), np.full(len(classes), 81, np.float32), labels, boxed,
    )  # fmt: skip


def dataset(*samples, classes=()):
    return Dataset(Path("x"), "test", "all", classes, tuple(range(len(classes))), samples, ())


def result(**scores):
    rows = sorted(scores.items(), key=lambda item: -item[1])
    answer = Tags(tuple(name for name, _ in rows), np.array([score for _, score in rows], np.float32))
    nothing = np.zeros((0, 4), np.float32)
    return Result(nothing, np.zeros(0, np.float32), np.zeros(0, np.int64), (), 64, 64, answers={"tags": answer})


def scored(samples, results, **more):
    metric = Tagging.metric(dataset(*samples, **more))
    for one, found in zip(samples, results, strict=True):
        metric.update(one, found)
    return metric


def test_many_tags():
    samples = [sample(1, ["cat", "sea"]), sample(2, ["dog"]), sample(3)]
    results = [result(cat=0.9, dog=0.6, sea=0.2), result(cat=0.1, dog=0.8, sea=0.3), result(cat=0.2, dog=0.1, sea=0.1)]
    metric = scored(samples, results)
    assert metric.figures() == pytest.approx({"tags_map": (1 + 1 + 1 / 2) / 3, "tags_f1": 4 / 6})
    assert list(metric.figures()) == ["tags_map", "tags_f1"]
    figures, by_name = metric.tables()
    assert figures.rows[0] == ("mean average precision", "83.3")
    assert by_name.rows == [("cat", "1", "100.0"), ("dog", "1", "100.0"), ("sea", "1", "50.0")]


def test_single_tags():
    names = tuple("abcdefg")
    samples = [sample(i, [name], names, single=True) for i, name in enumerate("abc")]
    first = {name: 1 - i / 10 for i, name in enumerate(names)}
    last = {name: i / 10 for i, name in enumerate(names)}
    metric = scored(samples, [result(**first), result(**first), result(**last)])
    figures = metric.figures()
    assert list(figures) == ["top1", "top5", "tags_map"]
    assert figures["top1"] == pytest.approx(1 / 3)
    assert figures["top5"] == 1.0


def test_top_five_of_three_tags_says_nothing():
    metric = scored([sample(1, ["cat"], single=True)], [result(cat=0.5, dog=0.4, sea=0.1)])
    assert list(metric.figures()) == ["top1", "tags_map"]


def test_crowds_count_as_present():
    classes = ("cat", "dog")
    samples = [sample(1, classes=[1], crowd=[True], boxed=True), sample(2, classes=[0], crowd=[False], boxed=True)]
    metric = scored(samples, [result(cat=0.1, dog=0.9), result(cat=0.9, dog=0.1)], classes=classes)
    assert metric.figures() == {"tags_map": 1.0, "tags_f1": 1.0}


def test_what_is_not_known_is_not_scored():
    samples = [sample(1, ["cat"], ["cat"]), sample(2, ["dog"])]
    wild = [result(cat=0.9, dog=0.9, sea=0.9), result(cat=0.1, dog=0.8, sea=0.1)]
    assert scored(samples, wild).figures() == {"tags_map": 1.0, "tags_f1": 1.0}


def test_names_that_only_one_side_knows():
    figures = scored([sample(1, ["cat"]), sample(2, ["dog"])], [result(cat=0.9, fish=0.8), result(cat=0.2, fish=0.8)])
    assert figures.figures() == {"tags_map": 0.5, "tags_f1": pytest.approx(2 / 3)}
    with pytest.raises(DataError, match="knows fish, and the dataset labels cat"):
        scored([sample(1, ["cat"])], [result(fish=0.9)])


def test_a_photograph_counts_once_and_unlabelled_ones_not_at_all():
    one, unlabelled = sample(1, ["cat"]), sample(2, boxed=True)
    metric = TagMetric(dataset(one))
    metric.update(one, result(cat=0.1, dog=0.2, sea=0.9))
    metric.update(one, result(cat=0.9, dog=0.2, sea=0.1))
    assert metric.figures() == {"tags_map": 1.0, "tags_f1": 1.0}
    unboxed = Sample(**{**vars(unlabelled), "boxed": False})
    metric.update(unboxed, result(cat=0.9))
    assert metric.figures() == {"tags_map": 1.0, "tags_f1": 1.0}


def test_nothing_scored_gives_no_figures():
    metric = TagMetric(dataset(sample(1, ["cat"])))
    assert metric.figures() == {}
    assert [len(table.rows) for table in metric.tables()] == [0, 0]


def test_a_result_without_tags_is_an_error():
    bare = Result(np.zeros((0, 4), np.float32), np.zeros(0, np.float32), np.zeros(0, np.int64), (), 64, 64)
    with pytest.raises(DataError, match="no tags to score"):
        TagMetric(dataset(sample(1, ["cat"]))).update(sample(1, ["cat"]), bare)
