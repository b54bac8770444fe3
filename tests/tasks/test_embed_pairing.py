"""The best pairing, against all pairings there are."""

from itertools import permutations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tacit.tasks.embed.pairing import best_pairs


def best_sum(value, allowed):
    """By trying: rows into columns of a table that is filled up to a square."""
    side = max(value.shape)
    gain = np.zeros((side, side))
    gain[: value.shape[0], : value.shape[1]] = np.where(allowed, value, 0)
    return max(sum(gain[row, column] for row, column in enumerate(order)) for order in permutations(range(side)))


@given(st.integers(0, 5), st.integers(0, 5), st.integers(0, 2**32 - 1))
def test_no_pairing_is_better(rows, columns, seed):
    rng = np.random.default_rng(seed)
    value, allowed = rng.integers(1, 6, (rows, columns)) / 4, rng.random((rows, columns)) < 0.6
    found_rows, found_columns = best_pairs(value, allowed)
    assert len(set(found_rows.tolist())) == len(set(found_columns.tolist())) == len(found_rows)
    assert allowed[found_rows, found_columns].all()
    assert value[found_rows, found_columns].sum() == pytest.approx(best_sum(value, allowed))


def test_the_greedy_choice_is_not_the_best():
    rows, columns = best_pairs(np.array([[0.9, 0.8], [0.8, 0.1]]), np.ones((2, 2), bool))
    assert dict(zip(rows.tolist(), columns.tolist(), strict=True)) == {0: 1, 1: 0}
