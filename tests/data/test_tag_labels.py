"""Tags of a whole photograph: what becomes of them when it is cut, joined, or has only boxes to tell."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tacit.data.label import Move
from tacit.data.sample import Dataset, Sample, Scene
from tacit.data.tags import BoxTags, TagLabels, all_single, tags_of, vocabulary, with_box_tags

WORDS = ("sea", "beach", "dog")
LABEL = TagLabels(frozenset({"sea"}), WORDS)


def shifted(x, y, size=(100, 200)):
    return Move(np.array([[1.0, 0, x], [0, 1, y], [0, 0, 1]]), size, size)


def sample(tmp_path, number=1, classes=(), crowd=(), labels=(), boxed=True):
    count = len(classes)
    boxes = np.tile(np.array([[10, 10, 50, 50]], np.float32), (count, 1))
    return Sample(
        tmp_path / f"{number}.png", 200, 100, number, boxes, np.array(classes, np.int64),
        np.array(crowd or [False] * count, np.bool_), np.full(count, 1600, np.float32),
        {type(label): label for label in labels}, boxed,
    )  # fmt: skip


def dataset(tmp_path, *samples, classes=("cat", "dog")):
    return Dataset(tmp_path, "test", "all", classes, tuple(range(len(classes))), tuple(samples), ())


@pytest.mark.parametrize(("x", "stays"), [(0, True), (100, True), (101, False), (200, False)])
def test_tags_stay_true_while_half_of_the_photograph_is_left(x, stays):
    assert (LABEL.moved(shifted(x, 0)) is LABEL) is stays
    assert LABEL.kept(np.array([], np.int64)) is LABEL


def test_joined_tags_are_absent_only_where_every_part_could_have_told():
    other = TagLabels(frozenset({"cat"}), ("cat", "beach"))
    both = TagLabels.joined([LABEL, other], [0, 3])
    assert both.names == {"sea", "cat"}
    assert both.vocabulary == ("sea", "beach", "cat")  # of a dog in the second part nothing is known
    assert not both.single


@pytest.mark.parametrize(
    ("parts", "true"),
    [
        ([LABEL, None], False),
        ([LABEL, LABEL], True),
        ([LABEL], True),
        ([TagLabels(frozenset({"sea"}), WORDS, single=True)], True),
        ([TagLabels(frozenset({"sea"}), WORDS, single=True)] * 2, False),
    ],
    ids=["a part without tags", "all with tags", "one part", "a single tag alone", "single tags"],
)
def test_joined_tags_are_none_where_they_would_lie(parts, true):
    assert (TagLabels.joined(parts, [0] * len(parts)) is not None) is true


def test_crowds_are_tags_though_they_are_no_boxes(tmp_path):
    read = with_box_tags(dataset(tmp_path, sample(tmp_path, classes=[0, 1], crowd=[False, True])))
    label = read.samples[0].label(BoxTags)
    assert label.crowd_names == ("dog",)
    assert label.counts == {}
    scene = Scene(np.zeros((100, 200, 3), np.uint8), np.zeros((1, 4), np.float32), np.array([0]), {BoxTags: label})
    assert tags_of(scene, read.classes).names == {"cat", "dog"}
    assert tags_of(read.samples[0], read.classes).names == {"cat", "dog"}


@pytest.mark.parametrize(("x", "left"), [(0, ("dog",)), (-35, ("dog",)), (-42, ()), (500, ())])
def test_a_crowd_that_is_cut_away_is_forgotten(x, left):
    crowd = BoxTags(("cat", "dog"), np.array([[10, 10, 50, 50]], np.float32), ("dog",))
    assert crowd.moved(shifted(x, 0)).crowd_names == left


@given(st.floats(-150, 250), st.floats(-120, 120), st.booleans())
def test_moved_crowds_lie_in_the_picture(x, y, mirrored):
    matrix = np.array([[-1.0 if mirrored else 1.0, 0, x], [0, 1, y], [0, 0, 1]])
    crowd = BoxTags(("dog",), np.array([[10, 10, 50, 50], [0, 0, 200, 100]], np.float32), ("dog", "dog"))
    moved = crowd.moved(Move(matrix, (100, 200), (100, 200)))
    assert len(moved.crowds) == len(moved.crowd_names)
    assert ((moved.crowds >= 0) & (moved.crowds <= (200, 100, 200, 100))).all()
    assert (moved.crowds[:, 2:] > moved.crowds[:, :2]).all()


def test_a_crowd_behind_a_perspective_is_forgotten():
    matrix = np.array([[1.0, 0, 0], [0, 1, 0], [-0.05, 0, 1]])  # hides what is right of x = 20
    crowd = BoxTags(("dog",), np.array([[10, 10, 50, 50]], np.float32), ("dog",))
    assert crowd.moved(Move(matrix, (100, 200), (100, 200))).crowd_names == ()


def test_a_mosaic_says_nothing_of_tags(tmp_path):
    one = BoxTags(("cat", "dog"), np.zeros((1, 4), np.float32), ("dog",))
    both = BoxTags.joined([one, None], [1, 0])
    assert tags_of(sample(tmp_path, classes=[1], labels=[one]), ("cat", "dog")).names == {"dog"}
    assert tags_of(sample(tmp_path, classes=[1], labels=[both]), ("cat", "dog")) is None


def test_explicit_tags_come_before_boxes_and_no_boxes_say_nothing(tmp_path):
    assert tags_of(sample(tmp_path, classes=[1], labels=[LABEL]), ("cat", "dog")) is LABEL
    assert tags_of(sample(tmp_path, boxed=False), ("cat", "dog")) is None
    assert tags_of(sample(tmp_path), ("cat", "dog")).names == frozenset()


def test_the_vocabulary_begins_with_the_classes_of_boxes(tmp_path):
    words = dataset(tmp_path, sample(tmp_path, labels=[LABEL], boxed=False), classes=())
    boxes = dataset(tmp_path, sample(tmp_path, classes=[1]))
    unboxed = dataset(tmp_path, sample(tmp_path, boxed=False), classes=("never",))
    assert vocabulary([words, boxes, unboxed]) == ("cat", "dog", "sea", "beach")
    assert not all_single([words])


def test_single_are_tags_only_where_all_are(tmp_path):
    one = sample(tmp_path, labels=[TagLabels(frozenset({"sea"}), WORDS, single=True)], boxed=False)
    assert all_single([dataset(tmp_path, one, sample(tmp_path, boxed=False))])  # the second has nothing to say
    assert not all_single([dataset(tmp_path, one), dataset(tmp_path, sample(tmp_path, classes=[0]))])
