"""Work that is done aside: pictures are drawn and encoded while the network goes on."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor


class Background:
    """Threads, and a few pieces of work that may wait for them; with more, `do` waits too.

    What a piece of work raises is raised by one of the next calls. `stop` must be called in the end.
    """

    def __init__(self, threads: int, waiting: int) -> None:
        self._threads = ThreadPoolExecutor(threads, "background")
        self._waiting = waiting
        self._under_way: deque[Future[object]] = deque()

    def do(self, work: Callable[[], object]) -> None:
        """Sees to it that `work` is called by one of the threads."""
        self._under_way.append(self._threads.submit(work))
        self._take(self._waiting)

    def finish(self) -> None:
        """Returns when all of it is done."""
        self._take(0)

    def stop(self) -> None:
        """Ends the threads when they have tried all that was given to them, which is no more than may wait."""
        self._threads.shutdown()

    def _take(self, most: int) -> None:
        while self._under_way and (len(self._under_way) > most or self._under_way[0].done()):
            self._under_way.popleft().result()
