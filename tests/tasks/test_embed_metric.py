"""The figures of vectors: individuals, two views that stand in for them, and films."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from scenes_of_individuals import sample

from tacit.data.identities import UNKNOWN, IdentityLabels, stood_in
from tacit.data.sample import Dataset
from tacit.results import Result
from tacit.tasks.embed.answer import Vectors
from tacit.tasks.embed.head import Embed
from tacit.tasks.embed.metric import IdentityMetric
from tacit.tasks.embed.views import second_view

HERE, THERE = [10, 10, 50, 90], [120, 10, 160, 90]
PATH = Path("a.png")


def result(boxes, vectors, scores=None, names=("person",)):
    count = len(boxes)
    return Result(
        boxes=np.array(boxes, np.float32).reshape(-1, 4),
        scores=np.ones(count, np.float32) if scores is None else np.array(scores, np.float32),
        classes=np.zeros(count, np.int64),
        names=names,
        width=200,
        height=100,
        answers={"embed": Vectors(np.array(vectors, np.float32).reshape(-1, 2))},
    )


def dataset(*samples):
    return Dataset(Path(), "MOT", "all", ("person",), (1,), samples, ())


def scored(*pairs):
    metric = IdentityMetric(dataset(*(one for one, _ in pairs)))
    for one, found in pairs:
        metric.update(one, found)
    return metric


def test_individuals_are_found_again():
    metric = scored(
        (sample(PATH, 1, [HERE, THERE], [7, 8]), result([HERE, THERE], [[1, 0], [0, 1]])),
        (sample(PATH, 2, [HERE, THERE], [8, 7]), result([THERE, HERE], [[1, 0], [0, 1]])),
    )
    assert metric.figures() == {"rank1": 1, "map": 1, "found": 1}
    assert metric.tables()[0].rows == [("4", "100.0", "100.0", "100.0")]
    assert "individuals" in metric.tables()[0].title


def test_the_detection_that_overlaps_most_gives_the_vector_and_none_below_half():
    far = [10, 10, 50, 40]
    metric = scored(
        (sample(PATH, 1, [HERE], [7]), result([far, [10, 10, 50, 80], HERE], [[0, 1], [0, 1], [1, 0]])),
        (sample(PATH, 2, [HERE, THERE], [7, 9]), result([far, THERE], [[1, 0], [1, 0]])),
    )
    assert metric.figures() == {"rank1": 0, "map": 0, "found": 0.5}


def test_photographs_count_once_and_those_without_individuals_never():
    one, two = sample(PATH, 1, [HERE], [7]), sample(PATH, 2, [HERE], [7])
    strangers = replace(sample(PATH, 3, [HERE], [UNKNOWN]), labels={})
    metric = scored(
        (one, result([], [])),
        (one, result([HERE], [[1, 0]])),
        (two, result([HERE], [[1, 0]])),
        (strangers, result([HERE], [[1, 0]])),
        (sample(PATH, 4, [HERE], [UNKNOWN]), result([HERE], [[1, 0]])),
    )
    assert metric.figures() == {"rank1": 1, "map": 1, "found": 1}


def test_without_a_label_there_are_no_figures():
    metric = scored((sample(PATH, 1, [HERE], [7]), result([HERE], [[1, 0]])))
    assert metric.figures() == {}
    assert metric.tables()[0].rows == [("0", "-", "-", "-")]


def film(vectors, boxes):
    pairs = [
        (sample(PATH, i, [HERE, THERE], [7, 8], frame=i), result(where, what, names=("cat", "person")))
        for i, (where, what) in enumerate(zip(boxes, vectors, strict=True), start=1)
    ]
    return [(one, replace(found, classes=found.classes + 1)) for one, found in pairs]


def test_a_film_counts_identity_switches_in_its_order():
    stays = [[1, 0], [0, 1]]
    pairs = film([stays] * 3, [[HERE, THERE]] * 3)
    assert scored(*pairs[::-1]).figures() == {"rank1": 1, "map": 1, "found": 1, "identity_switches": 0}
    swapped = film([stays, [[0, 1], [1, 0]]], [[HERE, THERE]] * 2)
    assert scored(*swapped).figures()["identity_switches"] == 2
    assert scored(*swapped).tables()[0].rows[0][-1] == "2"


def photograph(number=0):
    """Lighter on the left, so that a mirrored one is known."""
    image = np.zeros((100, 200, 3), np.uint8)
    image[:, :100] = 200
    return stood_in(dataset(replace(sample(PATH, number, [HERE, THERE], [1, 2]), labels={}))).samples[0], image


def test_two_views_stand_in_and_the_figures_say_so():
    one, image = photograph()
    metric = Embed.metric(dataset(one))
    ((twin, _),) = metric.further(one, image)
    assert set(twin.label(IdentityLabels).identities) == set(one.label(IdentityLabels).identities)
    metric.update(one, result(one.boxes, [[1, 0], [0, 1]]))
    metric.update(twin, result(twin.boxes, [[1, 0], [0, 1]]))
    assert metric.figures() == {"views_rank1": 1, "views_map": 1, "views_found": 1}
    assert "two views" in metric.tables()[0].title


def test_the_second_view_is_mirrored_and_always_the_same():
    one, image = photograph(5)
    twin, picture = second_view(one, image)
    assert picture.shape == image.shape
    assert picture[50, 180].mean() > picture[50, 20].mean()
    assert twin.id == -6
    left, right = twin.boxes
    assert left[0] > right[0]  # the first object is on the right now
    again, same = second_view(one, image)
    assert np.array_equal(same, picture)
    assert np.array_equal(again.boxes, twin.boxes)


def test_crowds_are_in_no_second_view():
    one, image = photograph()
    twin, _ = second_view(replace(one, crowd=np.array([True, False])), image)
    assert twin.label(IdentityLabels).identities.tolist() == one.label(IdentityLabels).identities[1:].tolist()


def test_named_individuals_need_no_second_view():
    _, image = photograph()
    named = sample(PATH, 1, [HERE], [7])
    assert IdentityMetric(dataset(named)).further(named, image) == []


@pytest.mark.parametrize("count", [3, 700])
def test_second_views_are_of_photographs_spread_evenly(count):
    samples = tuple(sample(PATH, i, [HERE], [i], views=True) for i in range(count))
    metric, image = IdentityMetric(dataset(*samples)), np.zeros((100, 200, 3), np.uint8)
    viewed = [one.id for one in samples if metric.further(one, image)]
    assert viewed == list(range(0, count, 1 if count == 3 else 3))
