"""Figures: medians with quartiles, ratios within a round, the difference that comes nearest to its limit."""

import pytest
from figures import line

from tacit.bench.report import OFFICIAL, Spread, forward, stages_of, stand_in, times_as_fast, total_of, whole
from tacit.runtime.agreement import LIMITS, Gap
from tacit.runtime.engine import Precision

ROUNDS = [
    {"eager": {"preprocess": 1.0, "forward": slow}, "fast": {"preprocess": 1.0, "forward": quick}}
    for slow, quick in ((9.0, 4.0), (99.0, 49.0), (19.0, 9.0))
]


@pytest.mark.parametrize(
    ("values", "told"),
    [([3.0], (3, 3, 3)), ([1.0, 3.0], (1.5, 2, 2.5)), ([5.0, 1.0, 2.0, 4.0, 3.0], (2, 3, 4))],
)
def test_value_of_spreads(values, told):
    found = Spread.of(values)
    assert (found.low, found.median, found.high) == pytest.approx(told)


def test_value_the_stand_in_takes_a_tenth_longer():
    rounds = stand_in(ROUNDS, "eager")
    assert rounds[0][OFFICIAL] == pytest.approx({"preprocess": 1.1, "forward": 9.9})
    assert rounds[0]["eager"] == ROUNDS[0]["eager"]


def test_value_ratios_are_taken_within_a_round():
    assert times_as_fast(ROUNDS, "fast", "eager", whole).median == pytest.approx(2)
    assert times_as_fast(ROUNDS, "fast", "eager", forward).median == pytest.approx(19 / 9)


def test_value_of_stages_and_total():
    assert stages_of(ROUNDS, "fast")["forward"].median == 9
    assert "postprocess" not in stages_of(ROUNDS, "fast")
    assert total_of(ROUNDS, "fast").median == 10


@pytest.mark.parametrize(
    ("raw", "words", "worst"), [(0.2, 0.8, Gap.WORDS), (0.8, 0.2, Gap.RAW), (1.1, 0.9, Gap.RAW), (0.9, 1.1, Gap.WORDS)]
)
def test_value_of_the_worst_difference(raw, words, worst):
    """Seen from what is allowed."""
    allowed = LIMITS[Precision.BF16]
    gaps = {Gap.RAW: raw * allowed[Gap.RAW], Gap.WORDS: words * allowed[Gap.WORDS]}
    assert line("x", Precision.BF16, 1.0, gaps=gaps).worst() == (worst, gaps[worst])
    assert line("x", Precision.BF16, 1.0).worst() is None


def test_value_where_nothing_is_allowed_anything_is_the_worst():
    allowed = LIMITS[Precision.FP32]
    assert not allowed[Gap.WORDS]
    gaps = {Gap.RAW: 0.9 * allowed[Gap.RAW], Gap.WORDS: 0.001}
    assert line("x", Precision.FP32, 1.0, gaps=gaps).worst() == (Gap.WORDS, 0.001)


def test_value_photographs_a_second():
    assert line("x", None, 0.25).per_second == 4
    assert line("x", None, 0.25, gaps={Gap.RAW: 1.0}).worst() is None
