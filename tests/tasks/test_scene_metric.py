"""mIoU and PQ against straightforward implementations of their definitions, and what is counted at all."""

import itertools
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tacit.data.maps import UNKNOWN, MapInMemory, MapLabels
from tacit.data.sample import Dataset, Sample
from tacit.data.segments import Segment, Segments
from tacit.results import Result
from tacit.tasks.scene.answer import SceneMap
from tacit.tasks.scene.metric import SceneMetric
from tacit.tasks.scene.quality import compare, quality

CLASSES = ("person", "cat", "grass")
REST = frozenset(CLASSES)
MEANINGS = (*CLASSES, REST)


class ThingMap(MapInMemory):
    """A map that tells things apart: every pixel of a class is of one thing."""

    def segments(self):
        ids = np.where(self.numbers == UNKNOWN, 0, self.numbers.astype(np.int64) + 1)
        return Segments(ids, tuple(Segment(i + 1, n if isinstance(n, str) else None) for i, n in enumerate(MEANINGS)))


class Masks(SceneMap):
    def mask(self, index):
        return self.classes == index


def sample(number, source):
    empty = np.zeros((0, 4), np.float32)
    height, width = source.pixels().shape
    none = np.zeros(0)
    return Sample(
        Path(f"{number}.png"), width, height, number, empty, none.astype(np.int64), none.astype(bool),
        none.astype(np.float32), {MapLabels: MapLabels(source)},
    )  # fmt: skip


def dataset(*samples):
    return Dataset(Path(), "COCO", "all", CLASSES, (1, 2, 3), samples, ())


def result(found, names=("other", *CLASSES), scores=(), classes=(), **answers):
    return Result(
        np.zeros((len(scores), 4), np.float32), np.array(scores, np.float32), np.array(classes, np.int64), CLASSES,
        found.shape[1], found.shape[0], answers={"scene": SceneMap(found, names), **answers},
    )  # fmt: skip


def scored(*pairs, meanings=MEANINGS):
    """Figures of (wanted, found) maps."""
    samples = [sample(i, MapInMemory(wanted.astype(np.uint16), meanings)) for i, (wanted, _) in enumerate(pairs)]
    metric = SceneMetric(dataset(*samples))
    for one, (_, found) in zip(samples, pairs, strict=True):
        metric.update(one, result(found.astype(np.uint8)))
    return metric.figures()


def oracle(pairs):
    """Pixel by pixel. Wanted: classes from 0, and 3 is none of them; found: other is 0, then the classes."""
    pixels = [
        ((int(w) + 1) % 4, int(f))
        for wanted, found in pairs
        for w, f in zip(wanted.ravel(), found.ravel(), strict=True)
        if w != UNKNOWN
    ]
    ious = []
    for name in range(4):
        if any(w == name for w, _ in pixels):
            either = [pair for pair in pixels if name in pair]
            ious.append(sum(w == f for w, f in either) / len(either))
    return {"miou": np.mean(ious), "pixel_accuracy": np.mean([w == f for w, f in pixels])}


def maps(seed, count=3, shape=(6, 7)):
    random = np.random.default_rng(seed)
    wanted = random.choice([0, 1, 2, 3, UNKNOWN], (count, *shape), p=[0.3, 0.2, 0.1, 0.3, 0.1])
    found = np.where(random.uniform(size=wanted.shape) < 0.5, random.integers(0, 4, wanted.shape), (wanted + 1) % 4)
    return [*zip(wanted, np.minimum(found, 3), strict=True)]


@given(st.integers(0, 10**6))
def test_miou_is_the_oracles(seed):
    pairs = maps(seed)
    assert scored(*pairs) == pytest.approx(oracle(pairs))


def test_perfect_is_one_and_a_class_that_is_nowhere_does_not_count():
    wanted = np.array([[0, 3], [0, 3]])
    assert scored((wanted, np.array([[1, 0], [1, 0]]))) == {"miou": 1.0, "pixel_accuracy": 1.0}


def test_a_picture_of_some_classes_is_passed_over():
    assert scored((np.zeros((2, 2)), np.ones((2, 2))), meanings=(*CLASSES, frozenset({"person"}))) == {}


def test_without_an_answer_or_a_label_nothing_is_counted():
    one = sample(0, MapInMemory(np.zeros((2, 2), np.uint16), MEANINGS))
    metric = SceneMetric(dataset(one))
    metric.update(one, Result(one.boxes, one.area, one.classes, CLASSES, 2, 2))
    assert metric.figures() == {}
    assert metric.tables()


def test_counting_again_replaces():
    one = sample(0, MapInMemory(np.zeros((2, 2), np.uint16), MEANINGS))
    metric = SceneMetric(dataset(one))
    metric.update(one, result(np.zeros((2, 2), np.uint8)))
    assert metric.figures()["miou"] == 0
    metric.update(one, result(np.ones((2, 2), np.uint8)))
    assert metric.figures()["miou"] == 1


def test_classes_are_matched_by_name():
    one = sample(0, MapInMemory(np.array([[0, 3]], np.uint16), MEANINGS))
    metric = SceneMetric(dataset(one))
    metric.update(one, result(np.array([[2, 1]], np.uint8), names=("other", "zebra", "person")))
    assert metric.figures() == {"miou": 1.0, "pixel_accuracy": 1.0}


def test_with_masks_there_is_panoptic_quality():
    wanted = np.array([[0, 0, 1], [0, 0, 3]])
    one = sample(0, ThingMap(wanted.astype(np.uint16), MEANINGS))
    metric = SceneMetric(dataset(one))
    found = np.array([[1, 1, 2], [1, 1, 0]], np.uint8)
    things = Masks(np.array([[0, 0, 1], [0, 5, 5]], np.uint8), ())
    metric.update(one, result(found, scores=(0.9, 0.8), classes=(0, 1), segment=things))
    figures = metric.figures()
    assert next(iter(figures)) == "miou"
    assert figures["pq"] == pytest.approx((0.75 + 1) / 2)
    assert [row[0] for row in metric.tables()[1].rows] == ["other", "person", "cat"]
    assert metric.tables()[1].rows[1] == ("person", "100.0", "75.0")


def pq_oracle(pairs):
    """By the definition: sets of pixels, every pair of segments, class by class (void and crowds as in section 4)."""
    totals = {}
    for wanted, found in pairs:
        pixels = {
            (side, one.id): set(np.flatnonzero(of.ids.ravel() == one.id).tolist())
            for side, of in enumerate((wanted, found))
            for one in of.segments
        }
        void = set(np.flatnonzero(wanted.ids.ravel() == 0).tolist())
        truths = [one for one in wanted.segments if not one.crowd]
        hit = {}
        for one, other in itertools.product(truths, found.segments):
            p, g = pixels[1, other.id] - void, pixels[0, one.id]
            iou = len(p & g) / len(p | g) if p | g else 0
            if one.name == other.name and iou > 0.5:
                hit[one.id, other.id] = iou
                totals.setdefault(one.name, []).append(("tp", iou))
        for one in truths:
            if one.id not in {truth for truth, _ in hit}:
                totals.setdefault(one.name, []).append(("fn", 0))
        for other in found.segments:
            crowd = void.union(*(pixels[0, one.id] for one in wanted.segments if one.crowd and one.name == other.name))
            mine = pixels[1, other.id]
            if other.id not in {answer for _, answer in hit} and len(mine & crowd) <= 0.5 * len(mine):
                totals.setdefault(other.name, []).append(("fp", 0))
    rows = []
    for counts in totals.values():
        tp = sum(kind == "tp" for kind, _ in counts)
        iou, errors = sum(value for _, value in counts), len(counts) - tp
        rows.append((iou / (tp + errors / 2), iou / tp if tp else 0, tp / (tp + errors / 2)))
    return np.mean(rows, axis=0) if rows else None


def segments(random, crowds):
    """Rectangles on each other, some pixels void."""
    ids = np.zeros((12, 14), np.int64)
    for number in range(1, random.integers(2, 7)):
        x, y = random.integers(0, 9, 2)
        ids[y : y + random.integers(3, 12), x : x + random.integers(3, 14)] = number * 300  # numbers above a byte
    there = [number for number in np.unique(ids).tolist() if number]
    kinds = [(str(random.choice(CLASSES)), bool(crowds and random.uniform() < 0.2)) for _ in there]
    return Segments(ids, tuple(Segment(n, name, crowd=crowd) for n, (name, crowd) in zip(there, kinds, strict=True)))


def shaken(random, wanted):
    """What a fair network would find of it: shifted by a pixel, a class wrong now and then."""
    names = [str(random.choice(CLASSES)) if random.uniform() < 0.2 else one.name for one in wanted.segments]
    moved = np.roll(wanted.ids, random.integers(-1, 2), axis=int(random.integers(2)))
    return Segments(moved, tuple(Segment(one.id, n) for one, n in zip(wanted.segments, names, strict=True)))


@given(st.integers(0, 10**6))
def test_panoptic_quality_is_the_oracles(seed):
    random = np.random.default_rng(seed)
    wanted = [segments(random, crowds=True) for _ in range(4)]
    found = [shaken(random, one) if random.uniform() < 0.7 else segments(random, crowds=False) for one in wanted]
    measured = quality([compare(*pair) for pair in zip(wanted, found, strict=True)])
    assert (measured.pq, measured.sq, measured.rq) == pytest.approx(tuple(pq_oracle(zip(wanted, found, strict=True))))


def test_panoptic_quality_of_nothing_is_none_and_of_itself_one():
    one = segments(np.random.default_rng(1), crowds=False)
    measured = quality([compare(one, one)])
    assert (measured.pq, measured.sq, measured.rq) == (1, 1, 1)
    assert quality([]) is None


def test_a_thing_found_on_what_is_no_class_is_wrong_and_in_the_void_is_not():
    thing = Segments(np.ones((2, 2), np.int64), (Segment(1, "cat"),))
    ground = Segments(np.full((2, 2), 7), (Segment(7, None),))
    assert quality([compare(ground, thing)]).pq == 0
    assert quality([compare(Segments(np.zeros((2, 2), np.int64), ()), thing)]) is None
