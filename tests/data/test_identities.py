"""Who is in which box: carried along by every change of a picture, and made up where nobody knows."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from scenes import photographs

from tacit.data.identities import UNKNOWN, IdentityLabels, Partners, number_of, stood_in
from tacit.data.label import Move
from tacit.data.sample import Dataset, Sample

MIRROR = Move(np.array([[-1.0, 0, 8], [0, 1, 0], [0, 0, 1]]), (8, 8), (8, 8))


def labels(*identities, views=False):
    return IdentityLabels(np.array(identities, np.int64), views=views)


def dataset(samples):
    return Dataset(samples[0].path.parent, "COCO", "all", ("cat",), (1,), tuple(samples), ())


def shown(*rows):
    """Photographs that show individuals of these numbers."""
    return [
        Sample(
            Path(f"{index}.png"),
            8,
            8,
            index,
            np.zeros((len(row), 4), np.float32),
            np.zeros(len(row), np.int64),
            np.zeros(len(row), bool),
            np.zeros(len(row), np.float32),
            {IdentityLabels: labels(*row)} if row else {},
        )
        for index, row in enumerate(rows)
    ]


def test_a_mirror_changes_nobody():
    assert labels(4, 5).moved(MIRROR).identities.tolist() == [4, 5]


def test_boxes_that_are_left_keep_theirs():
    assert labels(4, 5, 6).kept(np.array([2, 0])).identities.tolist() == [6, 4]


def test_joined_with_pictures_of_strangers():
    joined = IdentityLabels.joined([labels(4, 5), None, labels(4, views=True)], [2, 3, 1])
    assert joined.identities.tolist() == [4, 5, UNKNOWN, UNKNOWN, UNKNOWN, 4]
    assert joined.views


def test_counts_say_what_stands_in():
    assert labels(4, UNKNOWN, 5).counts == {"objects of known individuals": 2}
    assert "stand in" in next(iter(labels(4, views=True).counts))


def test_numbers_are_the_same_ever_after_and_apart():
    assert number_of("films/a", "7") == 9185302971331975869
    assert len({number_of("a", "bc"), number_of("ab", "c"), number_of("a", "b", "c")}) == 3
    assert all(0 <= number_of(str(i)) < 2**63 for i in range(100))


def test_every_labelled_object_stands_for_itself(tmp_path):
    samples = photographs(tmp_path, 3)
    read = stood_in(dataset(samples))
    found = [sample.label(IdentityLabels) for sample in read.samples]
    assert all(label.views for label in found)
    assert len({int(label.identities[0]) for label in found}) == 3
    assert stood_in(read) is read


def test_crowds_and_photographs_without_labelled_boxes_are_nobody(tmp_path):
    crowd, unboxed = photographs(tmp_path, 2)
    read = stood_in(dataset([replace(crowd, crowd=np.array([True])), replace(unboxed, boxed=False)]))
    assert read.samples[0].label(IdentityLabels).identities.tolist() == [UNKNOWN]
    assert read.samples[1].label(IdentityLabels) is None


def test_a_dataset_that_names_somebody_stays_as_it_is(tmp_path):
    samples = shown([1], [])
    named = Dataset(tmp_path, "MOT", "all", ("person",), (1,), tuple(samples), ())
    assert stood_in(named) is named


@pytest.mark.parametrize(("index", "partners"), [(0, {1, 2}), (1, {0}), (2, {0}), (3, {3}), (4, {4})])
def test_partners_show_somebody_of_the_photograph(index, partners):
    found = Partners(shown([1, 2], [1], [2, 3], [4, UNKNOWN], []))
    assert {found.of(index, np.random.default_rng(seed)) for seed in range(30)} == partners
