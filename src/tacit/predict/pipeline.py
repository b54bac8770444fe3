"""Many photographs and films through the stages, all of which work at the same time.

Threads read, decode and letterbox what comes next while others calculate: nearly all of it happens outside of Python's
lock. A pass of torch on a CPU has one thread, and as many passes are under way as there are processors: where several
threads share one pass they wait for each other after every layer, and for whatever else wants a processor. What is held
is bounded, however many files there are.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from threading import Semaphore

import torch

from tacit.data.images import Picture, load_reduced
from tacit.data.sample import Fault
from tacit.errors import ImageError
from tacit.geometry.letterbox import Letterbox, place
from tacit.predict.ahead import ahead, each_ahead
from tacit.predict.video import frames, is_video
from tacit.results import Moment, Result
from tacit.runtime.rounded import gflops
from tacit.stages import Image, Stages

READERS = 2  # threads; on machines of more than eight processors one for every four of them
PATIENCE = 4  # batches that may come before an odd-shaped photograph no longer waits for others of its shape
FRAMES = 4  # decoded ahead of a film
KEPT = 2_100_000  # pixels (1920 x 1080) of a photograph that is kept to be drawn on; larger ones are read again for it

BATCH = 8  # shares the small steps of a small network's pass
LARGE = 8.0  # GFLOPs of a pass from which it has none, and fits the processor's cache better alone
MARGIN = 2  # times the network's input that a picture decoded at a fraction still has


@dataclass(frozen=True, eq=False)
class _Source:
    """A photograph or a frame that is to be read."""

    path: Path
    read: Callable[[], Picture]
    moment: Moment | None = None


@dataclass(frozen=True, eq=False)
class _Framed:
    """The same as the network takes it; `image` is there where all of it was decoded and it is of a usual size."""

    source: _Source
    pixels: Image
    plan: Letterbox
    image: Image | None


@dataclass(eq=False)
class _Waiting:
    """A photograph between the reading and its answer: the one at `place` of what is found for its shelf."""

    framed: _Framed
    shelf: Future[list[Result]] | None = None
    place: int = 0


def predict_files(
    stages: Stages, paths: Iterable[Path], batch: int | None = None
) -> Generator[Result | Fault, None, None]:
    """For every photograph, in order, its `Result`, or the `Fault` that says why the file could not be read.

    A film gives a result for each of its frames, and a fault behind them where it is damaged (`predict.video`).
    `batch` photographs share a pass of the network, where so many of one shape come near each other; by itself it is
    `batch_for` the network. A JPEG that is much larger than the network's input is decoded at a fraction of its size:
    its boxes are in pixels of the photograph all the same. Its result has no `image` but draws on the file, and so have
    those of all photographs of more than `KEPT` pixels.
    """
    batch, reading = batch or batch_for(stages), max(READERS, stages.at_once // 4)
    with _threads(reading, "reader") as readers, _lookers(stages.at_once) as lookers:
        line = _Line(stages, batch, lookers)
        with closing(_sources(paths, MARGIN * stages.size)) as sources:
            for framed in each_ahead(readers, partial(_framed, stages), sources, batch + reading):
                line.put(framed)
                yield from line.ready()
            yield from line.rest()


def batch_for(stages: Stages) -> int:
    """Photographs for a pass: `BATCH`, or one where a CPU calculates a pass that is `LARGE`."""
    return 1 if stages.device.type == "cpu" and gflops(stages.network, stages.size) > LARGE else BATCH


@contextmanager
def _threads(number: int, name: str, begin: Callable[[], None] | None = None) -> Iterator[ThreadPoolExecutor]:
    """In the end, what they have not begun is given up."""
    with ThreadPoolExecutor(number, name, begin) as threads:
        try:
            yield threads
        finally:
            threads.shutdown(cancel_futures=True)


@contextmanager
def _lookers(at_once: int) -> Iterator[ThreadPoolExecutor]:
    """Threads for passes, each of which calculates alone where several may look at once; two where only one may, so
    that the other answers meanwhile.
    """
    before = torch.get_num_threads()
    alone = partial(torch.set_num_threads, 1) if at_once > 1 else None
    with _threads(max(2, at_once), "looker", alone) as lookers:
        try:
            yield lookers
        finally:
            torch.set_num_threads(before)  # 1 would hold for all threads that begin later, too


class _Line:
    """Answers in the order of the photographs, and the shelves where those of one shape wait to share a pass."""

    def __init__(self, stages: Stages, batch: int, lookers: ThreadPoolExecutor) -> None:
        self.stages, self.batch, self.lookers = stages, batch, lookers
        self.most = max(PATIENCE, 2 * stages.at_once) * batch
        self.turns = Semaphore(stages.at_once)
        self.order: deque[_Waiting | Fault] = deque()
        self.shelves: dict[tuple[int, int], list[_Waiting]] = {}

    def put(self, framed: _Framed | Fault) -> None:
        """The next; where it completes a batch, the network looks at that."""
        if isinstance(framed, Fault):
            self.order.append(framed)
            return
        waiting = _Waiting(framed)
        self.order.append(waiting)
        shelf = self.shelves.setdefault(framed.plan.target, [])
        shelf.append(waiting)
        if len(shelf) == self.batch:
            self._look(framed.plan.target)

    def ready(self) -> Iterator[Result | Fault]:
        """Those at the front that are answered; the front is waited for when too many stand behind it."""
        while self.order and (_is_answered(self.order[0]) or len(self.order) > self.most):
            yield self._first()

    def rest(self) -> Iterator[Result | Fault]:
        """All that are left."""
        while self.order:
            yield self._first()

    def _first(self) -> Result | Fault:
        first = self.order.popleft()
        if isinstance(first, Fault):
            return first
        if first.shelf is None:
            self._look(first.framed.plan.target)
        assert first.shelf is not None
        return first.shelf.result()[first.place]

    def _look(self, shape: tuple[int, int]) -> None:
        """Leaves a shelf to the threads."""
        shelf = self.shelves.pop(shape)
        answers = self.lookers.submit(_answered, self.stages, self.turns, [waiting.framed for waiting in shelf])
        for place_on_shelf, waiting in enumerate(shelf):
            waiting.shelf, waiting.place = answers, place_on_shelf


def _is_answered(waiting: _Waiting | Fault) -> bool:
    return isinstance(waiting, Fault) or (waiting.shelf is not None and waiting.shelf.done())


@torch.inference_mode()
def _answered(stages: Stages, turns: Semaphore, shelf: Sequence[_Framed]) -> list[Result]:
    """The network's pass over a shelf, and what it found."""
    batch = stages.batch([framed.pixels for framed in shelf])
    with turns:
        decoded = stages.look(batch)
    return [
        replace(
            stages.result(decoded, i, framed.image, framed.plan), path=framed.source.path, moment=framed.source.moment
        )
        for i, framed in enumerate(shelf)
    ]


def _framed(stages: Stages, source: _Source) -> _Framed | Fault:
    """Read, and letterboxed by its true size, however it was decoded."""
    try:
        picture = source.read()
    except ImageError as error:
        return Fault.of(source.path, error)
    plan = stages.fit((picture.height, picture.width))
    kept = picture.whole and (source.moment is not None or picture.height * picture.width <= KEPT)
    return _Framed(source, place(picture.pixels, plan), plan, picture.pixels if kept else None)


def _sources(paths: Iterable[Path], least: int) -> Generator[_Source, None, None]:
    for path in paths:
        if is_video(path):
            yield from _frames(path)
        else:
            yield _Source(path, partial(load_reduced, path, least))


def _frames(path: Path) -> Iterator[_Source]:
    """Those of a film, decoded ahead; what is wrong with it behind them."""
    with closing(ahead(frames(path), FRAMES)) as film:
        try:
            for frame in film:
                height, width = frame.pixels.shape[:2]
                yield _Source(path, partial(Picture, frame.pixels, height, width), frame.moment)
        except ImageError as error:
            yield _Source(path, partial(_fail, error))


def _fail(error: ImageError) -> Picture:
    raise error
