"""`tacit predict --cluster`: photographs without number, answered by a Ray cluster into Parquet files."""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from functools import cached_property
from pathlib import Path
from time import perf_counter

from tacit.api import Model, load
from tacit.cli.engine_options import EngineOptions
from tacit.cli.screen import counted, progress, say, warn
from tacit.errors import ConfigError, WeightsError
from tacit.predict.writers import make_folder
from tacit.stages import Stages
from tacit.thresholds import Thresholds
from tacit.weights.download import located
from tacit.weights.files import bundled

BY_TORCH = EngineOptions()


@dataclass(frozen=True, kw_only=True)
class ClusterOptions:
    """Where to predict, if not here."""

    cluster: str = ""
    """Predict on a Ray cluster into Parquet files: auto (the cluster that this runs in, or else one of this machine's
    processors) or host:port. Sources may then also be URLs (s3://...), lists (.txt, .jsonl, .csv) and .parquet."""
    column: str = ""
    """Where a list or Parquet file names or holds the photographs; without it the first of path, url, image, ..."""
    shard: int = 256
    """Photographs in one Parquet file of answers; after a stop, only unfinished ones are begun again."""
    worker_cpus: int = 1
    """Processors for each worker of the cluster, each of which holds the model once."""

    def __post_init__(self) -> None:
        for name in ("shard", "worker_cpus"):
            if getattr(self, name) < 1:
                flag = name.replace("_", "-")
                raise ConfigError(f"--{flag} is {getattr(self, name)}", allowed="whole numbers from 1")


@dataclass(frozen=True)
class File:
    """A weights file that travels to machines where its path leads nowhere."""

    name: str
    content: bytes

    @classmethod
    def of(cls, path: Path) -> File:
        try:
            return cls(path.name, path.read_bytes())
        except OSError as error:
            raise WeightsError(f"{path} cannot be read: {error.strerror}") from error

    def laid(self, folder: Path) -> Path:
        """Written there under its own name; two of one name do not meet."""
        path = folder / self.digest / self.name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(self.content)
        return path

    @cached_property
    def digest(self) -> str:
        return hashlib.sha256(self.content).hexdigest()


@dataclass(frozen=True, kw_only=True)
class Order:
    """What every worker is to answer, and with what."""

    weights: File
    knowledge: tuple[File, ...]
    size: int | None
    tasks: tuple[str, ...]
    by: EngineOptions
    thresholds: Thresholds = field(default_factory=Thresholds)

    @classmethod
    def of(
        cls,
        weights: Path | None,
        knowledge: Sequence[Path] = (),
        size: int | None = None,
        tasks: tuple[str, ...] = (),
        by: EngineOptions = BY_TORCH,
    ) -> Order:
        """With the files of these names, by default the bundled nano. Raises WeightsError."""
        path = bundled("nano") if weights is None else located(weights)
        assert path is not None
        return cls(weights=File.of(path), knowledge=tuple(map(File.of, knowledge)), size=size, tasks=tasks, by=by)

    def __call__(self) -> Stages:
        """The stages on this machine. Raises WeightsError and ConfigError."""
        return self.by.stages(self.model(), self.thresholds, self.size, self.tasks or None)

    def model(self) -> Model:
        """The weights with all their knowledge."""
        with tempfile.TemporaryDirectory() as folder:
            model = load(self.weights.laid(Path(folder)))
            for knowledge in self.knowledge:
                model = model.add(knowledge.laid(Path(folder)))
        return model

    def facts(self) -> dict[str, object]:
        """All that an answer depends on, for the plan."""
        return {
            "weights": self.weights.digest,
            "knowledge": [file.digest for file in self.knowledge],
            **asdict(self.thresholds),
            "size": self.size,
            "tasks": list(self.tasks),
            "engine": self.by.engine.value,
            "precision": self.by.precision.value,
        }


def predict_on(options: ClusterOptions, order: Order, sources: Sequence[str], output: Path, batch: int | None) -> int:
    """Answers what is missing in the folder; returns 1 if photographs could not be read, else 0."""
    from tacit.scale.cluster import connected, require_extra

    require_extra()
    from tacit.scale.plan import PlanFolder
    from tacit.scale.run import Crew, answer_missing
    from tacit.scale.sources import photographs

    start, faults, objects, done = perf_counter(), 0, 0, 0
    make_folder(output)
    folder = PlanFolder(output)
    plan = folder.begin(photographs(sources, options.column, output), options.shard, order.facts())
    missing = folder.missing(plan)
    if len(missing) < plan.shards:
        say(f"{plan.shards - len(missing)} of {counted(plan.shards, 'shard')} were there already")
    if missing:
        total = min(plan.photographs, len(missing) * plan.shard)
        with connected(options.cluster) as cpus, progress(total, "photographs") as advance:
            crew = Crew(workers=max(1, cpus // options.worker_cpus), cpus=options.worker_cpus, batch=batch)
            for shard in answer_missing(folder, plan, order, crew, options.column):
                advance(shard.photographs)
                done, faults, objects = done + shard.photographs, faults + shard.faults, objects + shard.objects
        say(f"{counted(objects, 'object')} in {counted(done - faults, 'photograph')}, {perf_counter() - start:.1f} s")
    say(f"answers are in {folder.results}/")
    if faults:
        warn(f"{faults} of {counted(done, 'photograph')} could not be read: the column 'fault' says why")
    return 1 if faults else 0
