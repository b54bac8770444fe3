"""Tickets: which photographs an epoch shows, where datasets have shares of it, and where each comes as a pair."""

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tacit.data.tickets import Share, Ticket, TicketSampler


def dealt(sampler: TicketSampler) -> list[Ticket]:
    return [ticket for batch in sampler for ticket in batch]


def shared(*shares: tuple[int, float], batch: int = 1, **options) -> TicketSampler:
    """A sampler over datasets of (photographs, weight)."""
    listed = [Share(count, weight) for count, weight in shares]
    return TicketSampler(sum(share.count for share in listed), batch, seed=0, size=64, shares=listed, **options)


@pytest.mark.parametrize(
    ("shares", "quotas"),
    [
        (((10, 1), (10, 1)), [10, 10]),
        (((30, 1), (10, 1)), [20, 20]),
        (((30, 3), (10, 1)), [30, 10]),
        (((30, 1), (10, 3)), [10, 30]),
        (((5, 0.2), (5, 0.2), (2, 0.4)), [3, 3, 6]),
        (((7, 1e-6), (3, 1)), [0, 10]),
        (((1, 1),), [1]),
    ],
)
def test_value_every_dataset_has_its_share_of_an_epoch(shares: tuple, quotas: list[int]) -> None:
    tickets, first = dealt(shared(*shares)), 0
    assert len(tickets) == sum(count for count, _ in shares)
    for (count, _), quota in zip(shares, quotas, strict=True):
        assert sum(first <= ticket.index < first + count for ticket in tickets) == quota
        first += count


SHARES = st.lists(st.tuples(st.integers(1, 12), st.floats(0.01, 100)), min_size=1, max_size=4)


@given(SHARES, st.integers(0, 5))
def test_value_no_photograph_comes_again_before_all_of_its_dataset_have_come(shares: list, epoch: int) -> None:
    tickets, first = dealt(shared(*shares, epoch=epoch)), 0
    times = Counter(ticket.index for ticket in tickets)
    for count, _ in shares:
        own = [times[index] for index in range(first, first + count)]
        assert max(own) - min(own) <= 1
        first += count


@given(SHARES, st.integers(0, 5))
def test_value_quotas_are_those_of_the_weights_to_one_photograph(shares: list, epoch: int) -> None:
    tickets, first = dealt(shared(*shares, epoch=epoch)), 0
    whole, count = sum(weight for _, weight in shares), sum(count for count, _ in shares)
    for size, weight in shares:
        quota = sum(first <= ticket.index < first + size for ticket in tickets)
        assert abs(quota - weight / whole * count) <= 1
        first += size


def test_value_shares_are_dealt_the_same_every_time_and_mixed() -> None:
    one, other = (dealt(shared((12, 1), (4, 1))) for _ in range(2))
    assert one == other
    assert one != dealt(shared((12, 1), (4, 1), epoch=1))
    halves = [sum(ticket.index >= 12 for ticket in half) for half in (one[:8], one[8:])]
    assert 0 not in halves  # not dataset behind dataset


def test_value_a_photograph_that_comes_again_is_varied_anew() -> None:
    tickets = dealt(shared((9, 1), (3, 3)))
    assert len(set(tickets)) == len(tickets)
    assert max(ticket.turn for ticket in tickets) == 2  # nine of the three
    assert {ticket.turn for ticket in tickets if ticket.index < 9} == {0}


@given(st.integers(1, 20), st.integers(1, 8), st.integers(0, 5))
def test_value_pairs_stand_behind_each_other(count: int, batch: int, epoch: int) -> None:
    sampler = TicketSampler(count, 2 * batch, seed=0, size=64, epoch=epoch, pairs=True)
    tickets = dealt(sampler)
    assert sampler.steps == -(-count // batch)
    assert sorted(ticket.index for ticket in tickets[: 2 * count]) == sorted(2 * list(range(count)))
    for one, other in zip(tickets[::2], tickets[1::2], strict=True):
        assert one.index == other.index
        assert other.turn == one.turn + 1
    assert {ticket.turn for ticket in tickets[: 2 * count]} == {0, 1}
    assert len(set(tickets)) == len(tickets)


@given(st.integers(1, 20), st.integers(1, 9), st.booleans(), st.booleans(), st.data())
def test_value_resuming_gives_the_same_rest(
    count: int, batch: int, weighted: bool, pairs: bool, data: st.DataObject
) -> None:
    shares = [Share(count, 1.0), Share(3, 2.0)] if weighted else []
    photographs = count + 3 if weighted else count
    sampler = TicketSampler(photographs, batch, seed=5, size=64, shares=shares, pairs=pairs)
    whole = list(sampler)
    assert len(whole) == len(sampler) == sampler.steps
    step = data.draw(st.integers(0, len(whole)))
    again = TicketSampler(photographs, batch, seed=5, size=64, shares=shares, pairs=pairs, step=step)
    assert list(again) == whole[step:]
    sampler.begin(0, step=step)
    assert list(sampler) == whole[step:]
