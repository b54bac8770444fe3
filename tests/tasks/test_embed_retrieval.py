"""Rank-1 and average precision, counted by hand and against the definition."""

import numpy as np
import pytest

from tacit.tasks.embed.retrieval import NO_CAMERA, Gallery, retrieval


def gallery(identities, angles, photographs=None, found=None, cameras=None):
    count = len(identities)
    return Gallery(
        np.array(identities, np.int64),
        np.array([[np.cos(angle), np.sin(angle)] for angle in angles], np.float32),
        np.ones(count, bool) if found is None else np.array(found, bool),
        np.arange(count) if photographs is None else np.array(photographs, np.int64),
        np.full(count, NO_CAMERA) if cameras is None else np.array(cameras, np.int64),
    )


def figures(*what, **more):
    found = retrieval(gallery(*what, **more))
    return None if found is None else (found.rank1, found.mean_ap, found.found, found.queries)


def test_everybody_beside_their_like():
    assert figures([1, 1, 2, 2], [0, 0.1, 2, 2.1]) == (1, 1, 1, 4)


def test_by_hand():
    # 1 at 0 and 0.3, a stranger at 0.1: from 0 the stranger is first, from 0.3 as well; the stranger asks nobody
    assert figures([1, 1, 5], [0, 0.3, 0.1]) == (0, 0.5, 1, 2)


def test_two_right_answers():
    # from 0: 0.1 right, 0.25 wrong, 0.3 right: AP (1 + 2/3) / 2
    found = retrieval(gallery([1, 1, 5, 1], [0, 0.1, 0.25, 0.3]))
    from_0, from_01, from_03 = (1 + 2 / 3) / 2, (1 + 2 / 3) / 2, (1 / 2 + 2 / 3) / 2
    assert found.mean_ap == pytest.approx((from_0 + from_01 + from_03) / 3)
    assert found.rank1 == pytest.approx(2 / 3)  # 0.3 sees 0.25 first


def test_of_equals_the_wrong_one_comes_first():
    assert figures([1, 1, 5, 5], [0, 0, 0, 0]) == (0, pytest.approx(1 / 3), 1, 4)


def test_others_of_the_same_photograph_are_left_out():
    assert figures([1, 5, 1], [0, 0.1, 0.3], photographs=[0, 0, 1]) == (0.5, 0.75, 1, 2)


def test_the_same_camera_is_left_out():
    assert figures([1, 1, 1, 5], [0, 0.1, 1.0, 0.5])[0] == pytest.approx(2 / 3)
    assert figures([1, 1, 1, 5], [0, 0.1, 1.0, 0.5], cameras=[1, 1, 2, 2])[0] == 0
    assert figures([1, 1], [0, 0.1], cameras=[1, 1]) is None


def test_whom_detection_missed_finds_nobody_and_is_not_found():
    assert figures([1, 1, 1], [0, 0.1, 0.2], found=[True, True, False]) == (
        pytest.approx(2 / 3),
        pytest.approx(1 / 3),
        pytest.approx(2 / 3),
        3,
    )
    assert figures([1, 1], [0, 0.1], found=[True, False]) == (0, 0, 0.5, 2)


@pytest.mark.parametrize("identities", [[], [1, 2, 3]])
def test_nothing_to_compare(identities):
    assert retrieval(gallery(identities, [0.0] * len(identities)) if identities else _empty()) is None


def _empty():
    none = np.empty(0, np.int64)
    return Gallery(none, np.empty((0, 2), np.float32), np.empty(0, bool), none, none)


def test_the_definition_on_chance():
    rng = np.random.default_rng(0)
    identities, vectors = rng.integers(6, size=60), rng.normal(size=(60, 3)).astype(np.float32)
    photographs = np.arange(60) // 2
    found = retrieval(Gallery(identities, vectors, np.ones(60, bool), photographs, np.full(60, NO_CAMERA)))
    scores = []
    for row in range(60):
        order = [i for i in np.argsort(-(vectors @ vectors[row])) if photographs[i] != photographs[row]]
        hits = np.array([identities[i] == identities[row] for i in order])
        precision = hits.cumsum() / np.arange(1, len(hits) + 1)
        scores.append((hits[0], precision[hits].mean()))
    assert [found.rank1, found.mean_ap] == pytest.approx(np.mean(scores, axis=0).tolist())
