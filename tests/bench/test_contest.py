"""Turns: everybody in every round, on the same photograph, and another one first."""

import numpy as np
import pytest

from tacit.bench.contest import Contestant, Ours, square, turns
from tacit.stages import Stages
from tacit.zoo import create

IMAGES = [np.full((40, 60, 3), shade, np.uint8) for shade in (0, 255)]


class Noted(Contestant):
    def __init__(self, label, notes):
        self.label, self.notes = label, notes

    def seconds(self, image):
        self.notes.append((self.label, int(image[0, 0, 0])))
        return {"forward": float(len(self.notes))}


def test_value_of_turns():
    notes = []
    taken = turns([Noted("a", notes), Noted("b", notes)], IMAGES, range(3))
    assert notes == [("a", 0), ("b", 0), ("b", 255), ("a", 255), ("a", 0), ("b", 0)]
    assert taken[1] == {"b": {"forward": 3.0}, "a": {"forward": 4.0}}


@pytest.fixture(scope="module")
def ours():
    return Ours("us", Stages(create("debug", 2).eval(), ("a", "b"), 64))


def test_value_seconds_are_of_one_photograph_by_stage(ours):
    first, second = ours.seconds(IMAGES[0]), ours.seconds(IMAGES[1])
    assert list(first) == list(second) == ["preprocess", "forward", "postprocess"]
    assert all(value > 0 for value in first.values())
    assert first is not second


def test_shape_photographs_fill_a_square(ours):
    assert square(IMAGES[0], 64).target == (64, 64)
    seen = ours.seen(IMAGES)
    assert [answers["detect"]["rows"].shape for answers in seen.answers] == [(1, 3 * (64 + 16 + 4), 7)] * 2
    assert [result.width for result in seen.results] == [60, 60]
