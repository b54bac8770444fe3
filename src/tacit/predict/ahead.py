"""Work that is done ahead of its user, in order and no further than it is told."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Generator, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import islice
from typing import TypeVar

T = TypeVar("T")
S = TypeVar("S")


def ahead(items: Iterator[T], most: int) -> Generator[T, None, None]:
    """The same items, fetched by a thread that is at most `most` ahead; it ends with them, or when this is closed.

    An error of theirs is raised in its place.
    """
    end = object()
    with ThreadPoolExecutor(1, "ahead") as thread:
        try:
            fetched = deque(thread.submit(next, items, end) for _ in range(most))
            while (item := fetched.popleft().result()) is not end:
                fetched.append(thread.submit(next, items, end))
                yield item  # type: ignore[misc]
        finally:
            thread.shutdown(cancel_futures=True)


def each_ahead(threads: ThreadPoolExecutor, work: Callable[[S], T], items: Iterator[S], most: int) -> Iterator[T]:
    """`work(item)` for each, in order, done by `threads` that are at most `most` items ahead."""
    done: deque[Future[T]] = deque(threads.submit(work, item) for item in islice(items, most))
    while done:
        result = done.popleft().result()
        done.extend(threads.submit(work, item) for item in islice(items, 1))
        yield result
