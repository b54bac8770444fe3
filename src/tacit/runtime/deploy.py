"""What `Model.deploy` does: the fastest engine that is here and answers as torch in float32 does.

Candidates look at sample photographs first; who strays from the reference is out (`agreement`). The others are timed in
turns, so that a busy machine is busy for all of them. What was chosen is kept (`choice_memory`).
"""

from __future__ import annotations

import hashlib
import logging
import statistics
import time
from collections.abc import Mapping
from dataclasses import dataclass

from jaxtyping import Float32
from torch import Tensor

from tacit.errors import ConfigError
from tacit.network import Network
from tacit.runtime.agreement import gaps, too_far
from tacit.runtime.choice_memory import keep, key_of, recall
from tacit.runtime.engine import Engine
from tacit.runtime.onnx_engine import OnnxEngine
from tacit.runtime.openvino_engine import OpenVinoEngine
from tacit.runtime.probe import photographs, seen
from tacit.runtime.ways import Way, fitting, ways_of
from tacit.runtime.wish import EngineKind, PrecisionKind
from tacit.stages import Stages
from tacit.weights.knowledge_file import trunk_hash
from tacit.weights.record import Record

PROBED = 2
"""Sample photographs that are looked at: each may be of another shape, for which some engines compile anew."""
ROUNDS = 5
SLOW = 1.5  # times the fastest: who takes so long in the first round is not asked again
LOG = logging.getLogger(__name__)


@dataclass(frozen=True, eq=False)
class Subject:
    """What is to be calculated: a folded network, or what an exported one answers by `engine`, which is then the
    reference for all others.
    """

    network: Network
    record: Record
    size: int
    engine: Engine | None = None

    def build(self, way: Way) -> Engine:
        """By that way. Raises ConfigError where a package is missing."""
        if isinstance(self.engine, OnnxEngine):
            way.require()
            return way.run(self.engine.content)
        if isinstance(self.engine, OpenVinoEngine):
            return OpenVinoEngine(self.engine.model, way.precision)
        return self.engine or way.build(self.network, self.record)

    def digest(self) -> str:
        """The same for the same model alone."""
        if isinstance(self.engine, OnnxEngine):
            return hashlib.sha256(self.engine.content).hexdigest()
        if isinstance(self.engine, OpenVinoEngine):
            return self.engine.digest()
        return trunk_hash(self.network)

    def batch(self) -> Float32[Tensor, "1 3 h w"]:
        """A photograph as the network gets it."""
        stages, image = Stages(self.network, self.record.classes, self.size, engine=self.engine), photographs()[0]
        return stages.preprocess([image], [stages.plan(image)])


def deployed(subject: Subject, engine: EngineKind, precision: PrecisionKind) -> Engine:
    """The engine that was asked for, or the best of several.

    Raises ConfigError for what is not installed, or not possible with this model.
    """
    ways = fitting(ways_of(subject.engine), engine, precision)
    if len(ways) == 1:
        return subject.build(ways[0])
    key = key_of(subject.digest(), tuple(subject.network.tasks), subject.size, tuple(map(str, ways)))
    before = recall(key).get("way")
    for way in ways:
        if str(way) == before:
            return subject.build(way)
    engines = trusted({way: subject.build(way) for way in ways}, subject)
    times = timed(engines, subject.batch())
    best = min(times, key=lambda way: times[way])
    keep(key, {"way": str(best), "seconds": {str(way): seconds for way, seconds in times.items()}})
    return engines[best]


def trusted(engines: Mapping[Way, Engine], subject: Subject) -> dict[Way, Engine]:
    """Those that answer as the subject does. Raises ConfigError where none does."""
    network, names, size = subject.network, subject.record.classes, subject.size
    images, sound = photographs()[:PROBED], dict[Way, Engine]()
    exact = seen(network, names, size, subject.engine, images)
    for way, engine in engines.items():
        far = too_far(gaps(exact, seen(network, names, size, engine, images)), way.precision)
        if far:
            LOG.info("%s is out: %s", way, ", ".join(f"{gap.value} {value:.3g}" for gap, value in far.items()))
        else:
            sound[way] = engine
    if not sound:
        raise ConfigError("nothing that is here answers as torch in float32 does", fix="use the engine torch")
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
