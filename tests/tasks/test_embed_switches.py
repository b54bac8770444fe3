"""Identity switches of short films, counted by hand; and the tracker that makes them or does not."""

import numpy as np
import pytest

from tacit.tasks.embed.switches import Frame, identity_switches
from tacit.tasks.embed.tracking import Following, Tracker

PLACES = {place: [20 * place, 0, 20 * place + 10, 10] for place in range(5)}


def frame(objects, tracks):
    """{number: place} of objects and of tracks."""

    def boxes(found):
        return np.array(
            [PLACES[place] if isinstance(place, int) else place for place in found.values()], np.float32
        ).reshape(-1, 4)

    return Frame(boxes(objects), np.array(list(objects), np.int64), boxes(tracks), np.array(list(tracks), np.int64))


STILL = {1: 0, 2: 1}


@pytest.mark.parametrize(
    ("tracks", "switches", "why"),
    [
        ([{7: 0, 8: 1}] * 3, 0, "everybody keeps their track"),
        ([{7: 0, 8: 1}, {8: 0, 7: 1}], 2, "two tracks change places"),
        ([{7: 0, 8: 1}, {9: 0, 8: 1}], 1, "a track ends and another begins"),
        ([{7: 0}, {}, {7: 0}], 0, "lost, and found by the same track"),
        ([{7: 0}, {}, {9: 0}], 1, "lost, and found by another"),
        ([{7: 0}, {}, {9: 0}, {7: 0}], 2, "and handed back"),
        ([{7: 0}, {7: 3}, {7: 4}], 0, "a track that leaves everybody is a miss, no switch"),
        ([{}, {}], 0, "nobody is tracked"),
        ([{7: 0}, {7: 1}], 0, "a track moves on to somebody who had none"),
    ],
)
def test_switches_counted_by_hand(tracks, switches, why):
    assert identity_switches([frame(STILL, found) for found in tracks]) == switches, why


def test_a_pairing_goes_on_although_another_track_overlaps_more():
    near = [0, 0, 10, 8]  # overlaps 0.8
    frames = [frame({1: 0}, {7: 0}), frame({1: 0}, {7: near, 8: [0, 0, 10, 10]})]
    assert identity_switches(frames) == 0


def test_a_pairing_ends_where_the_overlap_is_less_than_half():
    far = [0, 0, 10, 4]
    frames = [frame({1: 0}, {7: 0}), frame({1: 0}, {7: far, 8: [0, 0, 10, 10]})]
    assert identity_switches(frames) == 1


def test_an_object_that_comes_back_is_compared_with_its_last_track():
    frames = [frame({1: 0}, {7: 0}), frame({}, {7: 0}), frame({1: 0}, {7: 0}), frame({}, {}), frame({1: 0}, {8: 0})]
    assert identity_switches(frames) == 1


def unit(*angles):
    return np.array([[np.cos(angle), np.sin(angle)] for angle in angles], np.float32)


def at(*places):
    return np.array([PLACES[place] for place in places], np.float32).reshape(-1, 4)


def run(frames, following=None):
    """Track numbers of frames of (places, angles)."""
    tracker = Tracker(following or Following())
    return [
        tracker.update(at(*places), np.ones(len(places), np.float32), unit(*angles).reshape(-1, 2)).tolist()
        for places, angles in frames
    ]


def test_vectors_tell_those_apart_who_change_places():
    assert run([([0, 1], [0.0, 1.5]), ([1, 0], [0.0, 1.5])]) == [[0, 1], [0, 1]]


def test_boxes_do_where_vectors_are_the_same():
    assert run([([0, 1], [0.0, 0.0]), ([1, 0], [0.0, 0.0])]) == [[0, 1], [1, 0]]


def test_somebody_unlike_all_in_another_place_is_new():
    assert run([([0], [0.0]), ([3], [1.5])]) == [[0], [1]]


@pytest.mark.parametrize(("patience", "numbers"), [(5, [[0], [], [], [0]]), (2, [[0], [], [], [1]])])
def test_patience(patience, numbers):
    frames = [([0], [0.0]), ([], []), ([], []), ([0], [0.0])]
    assert run(frames, Following(patience=patience)) == numbers


def test_unsure_boxes_are_not_followed():
    tracker = Tracker()
    numbers = tracker.update(at(0, 1), np.array([0.9, 0.1], np.float32), unit(0.0, 1.0))
    assert numbers.tolist() == [0, -1]
