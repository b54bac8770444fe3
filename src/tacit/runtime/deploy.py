"""What `Model.deploy` does: the fastest engine that is here and answers as torch in float32 does.

Candidates look at sample photographs first; who strays from torch in float32 is out (`agreement`). The others are timed
in turns, so that a busy machine is busy for all of them. What was chosen is kept (`choice_memory`).
"""

from __future__ import annotations

import logging
import statistics
import time
from collections.abc import Mapping

from jaxtyping import Float32
from torch import Tensor

from tacit.errors import ConfigError
from tacit.network import Network
from tacit.runtime.agreement import gaps, too_far
from tacit.runtime.choice_memory import keep, key_of, recall
from tacit.runtime.engine import Engine
from tacit.runtime.probe import photographs, seen
from tacit.runtime.ways import Way, fitting
from tacit.runtime.wish import EngineKind, PrecisionKind
from tacit.stages import Stages
from tacit.weights.knowledge_file import trunk_hash
from tacit.weights.record import Record

PROBED = 2
"""Sample photographs that are looked at: each may be of another shape, for which some engines compile anew."""
ROUNDS = 5
SLOW = 1.5  # times the fastest: who takes so long in the first round is not asked again
LOG = logging.getLogger(__name__)


def deployed(network: Network, record: Record, size: int, engine: EngineKind, precision: PrecisionKind) -> Engine:
    """The engine that was asked for, or the best of several; `network` is folded.

    Raises ConfigError for what is not installed, or not possible with these weights.
    """
    ways = fitting(engine, precision)
    if len(ways) == 1:
        return ways[0].build(network, record)
    key = key_of(trunk_hash(network), tuple(network.tasks), size, tuple(map(str, ways)))
    before = recall(key).get("way")
    for way in ways:
        if str(way) == before:
            return way.build(network, record)
    engines = trusted({way: way.build(network, record) for way in ways}, network, record, size)
    times = timed(engines, _batch(network, record, size))
    best = min(times, key=lambda way: times[way])
    keep(key, {"way": str(best), "seconds": {str(way): seconds for way, seconds in times.items()}})
    return engines[best]


def trusted(engines: Mapping[Way, Engine], network: Network, record: Record, size: int) -> dict[Way, Engine]:
    """Those that answer as `network` does. Raises ConfigError where none does."""
    images, sound = photographs()[:PROBED], dict[Way, Engine]()
    exact = seen(network, record.classes, size, None, images)
    for way, engine in engines.items():
        far = too_far(gaps(exact, seen(network, record.classes, size, engine, images)), way.precision)
        if far:
            LOG.info("%s is out: %s", way, ", ".join(f"{gap.value} {value:.3g}" for gap, value in far.items()))
        else:
            sound[way] = engine
    if not sound:
        raise ConfigError("nothing that is here answers as torch in float32 does", fix="use --engine torch")
    return sound


def timed(engines: Mapping[Way, Engine], batch: Float32[Tensor, "b 3 h w"]) -> dict[Way, float]:
    """Seconds of a pass of those that are not far behind: the median over the rounds."""
    times = {way: [_seconds(engine, batch)] for way, engine in engines.items()}
    fastest = min(first for first, *_ in times.values())
    times = {way: seconds for way, seconds in times.items() if seconds[0] < SLOW * fastest}
    for _ in range(ROUNDS - 1):
        for way, seconds in times.items():
            seconds.append(_seconds(engines[way], batch))
    medians = {way: statistics.median(seconds) for way, seconds in times.items()}
    LOG.info("seconds of a pass: %s", ", ".join(f"{way} {seconds:.4f}" for way, seconds in medians.items()))
    return medians


def _seconds(engine: Engine, batch: Float32[Tensor, "b 3 h w"]) -> float:
    start = time.perf_counter()
    engine(batch)
    return time.perf_counter() - start


def _batch(network: Network, record: Record, size: int) -> Float32[Tensor, "1 3 h w"]:
    stages, image = Stages(network, record.classes, size), photographs()[0]
    return stages.preprocess([image], [stages.plan(image)])
