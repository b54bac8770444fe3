"""Work ahead of its user: in order, no further than told, and ended with it."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from tacit.predict.ahead import ahead, each_ahead
from tacit.predict.background import Background


def test_items_come_in_order_and_no_further_ahead_than_told():
    taken = []

    def items():
        for number in range(20):
            taken.append(number)
            yield number

    fetched = ahead(items(), 3)
    assert [next(fetched) for _ in range(5)] == [0, 1, 2, 3, 4]
    time.sleep(0.05)
    assert len(taken) <= 5 + 3
    assert list(fetched) == list(range(5, 20))


def test_an_error_stands_in_its_place():
    def items():
        yield 1
        raise ValueError("here")

    fetched = ahead(items(), 4)
    assert next(fetched) == 1
    with pytest.raises(ValueError, match="here"):
        next(fetched)


def test_closing_ends_the_thread():
    before = threading.active_count()
    fetched = ahead(iter(range(100)), 2)
    next(fetched)
    fetched.close()
    assert threading.active_count() == before


def test_each_in_order_though_the_last_is_done_first():
    with ThreadPoolExecutor(4) as threads:
        done = each_ahead(threads, lambda number: (time.sleep(0.01 * (3 - number % 4)), number)[1], iter(range(12)), 4)
        assert list(done) == list(range(12))


def test_the_background_does_all_and_lets_no_more_than_told_wait():
    gate, done = threading.Event(), []
    background = Background(threads=1, waiting=2)
    for number in range(2):
        background.do(lambda number=number: (gate.wait(5), done.append(number)))
    assert done == []
    threading.Timer(0.05, gate.set).start()
    background.do(lambda: done.append(2))  # waits for the gate
    assert gate.is_set()
    background.finish()
    background.stop()
    assert done == [0, 1, 2]


def test_an_error_of_the_background_is_raised_by_a_later_call():
    background = Background(threads=1, waiting=2)

    def work():
        background.do(lambda: 1 // 0)
        background.finish()

    with pytest.raises(ZeroDivisionError):
        work()
    background.finish()
    background.stop()
