"""Tacit from Python: `tacit.load()` or `tacit.create()` gives a `Model`, `model.predict(photograph)` a `Result`."""

from __future__ import annotations

import logging
import operator
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from difflib import get_close_matches
from functools import cached_property
from pathlib import Path
from typing import SupportsIndex, TypeAlias, overload

import numpy as np
from PIL import Image

from tacit.data.images import load_image
from tacit.errors import ConfigError, ImageError
from tacit.geometry.views import AS_IT_IS, View
from tacit.network import Network
from tacit.predict.arrays import from_array, from_pillow
from tacit.predict.folded import FoldedCopy
from tacit.results import Result
from tacit.runtime.deploy import Subject, deployed
from tacit.runtime.engine import Engine
from tacit.runtime.exported import is_exported, load_exported
from tacit.runtime.wish import EngineKind, PrecisionKind, meant
from tacit.stages import Stages, Thresholds
from tacit.training.start import Classes, start_from
from tacit.weights.download import located
from tacit.weights.files import Weights
from tacit.weights.files import load as load_weights
from tacit.weights.knowledge_file import joined, left
from tacit.weights.record import Record

Source: TypeAlias = str | Path | np.ndarray | Image.Image
Wanted: TypeAlias = Iterable[str | SupportsIndex]  # classes by name or number, such as `Result.classes`
DEFAULTS = Thresholds()
LOG = logging.getLogger(__name__)


@dataclass(frozen=True, eq=False)
class Model:
    """A network with the record of its weights; `origin` says where those of a created one come from.

    Prediction uses a folded copy, made again once `network` has other weights; `network` itself stays trainable.
    """

    network: Network
    record: Record
    origin: str = ""
    engine: Engine | None = None
    """What calculates the answers; without it the folded network in torch."""

    @property
    def tasks(self) -> tuple[str, ...]:
        """What the model answers."""
        return tuple(self.network.tasks)

    @property
    def names(self) -> tuple[str, ...]:
        """The classes; `Result.classes` index them."""
        return self.record.classes

    def __repr__(self) -> str:
        origin = f", {self.origin}" if self.origin else ""
        return f"Model({self.record.model!r}, {len(self.names)} classes, {self.record.input_size} px{origin})"

    @overload
    def predict(  # type: ignore[overload-overlap]  # a str is a sequence of str, and means one path
        self, source: Source, *, confidence: float = ..., iou: float = ..., classes: Wanted | None = ...,
        bgr: bool = ..., batch: int = ..., size: int | None = ..., tasks: Sequence[str] | None = ...,
    ) -> Result: ...  # fmt: skip

    @overload
    def predict(
        self, source: Sequence[Source], *, confidence: float = ..., iou: float = ...,
        classes: Wanted | None = ..., bgr: bool = ..., batch: int = ..., size: int | None = ...,
        tasks: Sequence[str] | None = ...,
    ) -> list[Result]: ...  # fmt: skip

    def predict(
        self,
        source: Source | Sequence[Source],
        *,
        confidence: float = 0.25,
        iou: float = 0.5,
        classes: Wanted | None = None,
        bgr: bool = False,
        batch: int = 8,
        size: int | None = None,
        tasks: Sequence[str] | None = None,
    ) -> Result | list[Result]:
        """One `Result` for one photograph, a list for a list, in its order.

        A photograph is a path, a Pillow image, or a uint8 array of shape (height, width, 3) in RGB or (height, width)
        in grey; `bgr=True` says that the arrays are in OpenCV's order. Boxes come back in pixels of the photograph.
        `classes` keeps only the named (or numbered) ones; boxes under `confidence` are left out, and of two boxes of
        one class that overlap by more than `iou` the better one stays. `size` is the network's input in pixels.
        `tasks` names what to answer, such as ("detect", "pose"); the heads of the others are not computed.

        Raises `ImageError` for what is not such a photograph and `ConfigError` for an option out of its range.
        A list keeps its pictures in memory; for folders of any length see `tacit.predict.pipeline.predict_files`.
        """
        if batch < 1:
            raise ConfigError(f"batch is {batch}", allowed="whole numbers from 1")
        ids = None if classes is None else self.class_ids(classes)
        stages = self.stages(Thresholds(confidence=confidence, iou=iou, classes=ids), size, tasks=tasks, quick=True)
        sources: Sequence[Source] = source if isinstance(source, list | tuple) else [source]  # type: ignore[list-item]
        results = [
            result
            for start in range(0, len(sources), batch)
            for result in _answer(stages, sources[start : start + batch], bgr)
        ]
        return results if isinstance(source, list | tuple) else results[0]

    def stages(
        self,
        thresholds: Thresholds = DEFAULTS,
        size: int | None = None,
        views: tuple[View, ...] = AS_IT_IS,
        tasks: Sequence[str] | None = None,
        *,
        quick: bool = False,
    ) -> Stages:
        """The stages around the folded network, to be called with lists of RGB pictures; `tasks` names what to answer,
        None all. They calculate in float32, or with `quick`, as `predict` does, in bfloat16 where that pays and changes
        nothing worth a word. Raises `ConfigError`.
        """
        whole = self.network if self.engine else self._folded()
        network = whole if tasks is None else whole.only(tasks)
        size = self.record.input_size if size is None else size
        stages = Stages(network, self.names, size, thresholds, views, self.engine)
        if quick and self.engine is None:
            return replace(stages, engine=self._folded.engine(self.names, size, tuple(network.tasks)))
        return stages

    def deploy(
        self,
        engine: EngineKind | str = EngineKind.AUTO,
        precision: PrecisionKind | str = PrecisionKind.AUTO,
        *,
        size: int | None = None,
        tasks: Sequence[str] | None = None,
    ) -> Model:
        """A model that answers as fast as this machine can: by the fastest engine that is installed and whose answers
        are still those of torch in float32, which a short measurement tells, once; or by the one that is named.

        It is a snapshot: of what `network` learns later it knows nothing. `size` is the input to be fast at, `tasks`
        what it shall answer. Raises `ConfigError` for what is not installed, or not possible with these weights.
        """
        kind, wanted = meant(EngineKind, engine), meant(PrecisionKind, precision)
        network = self.network if tasks is None else self.network.only(tasks)
        folded = network if self.exported else self._folded().only(list(network.tasks))
        size = self.record.input_size if size is None else size
        subject = Subject(folded, self.record, size, self.engine if self.exported else None)
        return replace(self, network=network, engine=deployed(subject, kind, wanted))

    @property
    def exported(self) -> bool:
        """Whether it was loaded from an exported file: `network` is a shell then, and the weights are the engine's."""
        return self.engine is not None and any(value.is_meta for value in self.network.parameters())

    def add(self, knowledge: str | Path) -> Model:
        """A model that also answers what was taught into a knowledge file (see `tacit teach`); this one stays as it is.

        Both share the trunk and the tasks they have in common, which answer to the bit as before. Raises `WeightsError`
        for a file that is unsound or was taught to another trunk, and `ConfigError` for a name that is taken.
        """
        weights = joined(self._weights(), Path(knowledge))
        return Model(weights.network, weights.record, self.origin)

    def remove(self, name: str) -> Model:
        """A model without the task of that name; this one stays as it is. Raises `ConfigError` where there is none, or
        others need it.
        """
        weights = left(self._weights(), name)
        return Model(weights.network, weights.record, self.origin)

    def class_ids(self, wanted: Wanted) -> tuple[int, ...]:
        """The numbers of classes that are named or numbered; raises `ConfigError` for one that is not there."""
        return tuple(self._class_id(one) for one in ([wanted] if isinstance(wanted, str) else wanted))

    def _weights(self) -> Weights:
        """Raises `ConfigError` where these are in an exported file."""
        if self.exported:
            raise ConfigError("an exported model cannot be changed", fix="change the weights and export them anew")
        return Weights(self.network, self.record)

    @cached_property
    def _folded(self) -> FoldedCopy:
        return FoldedCopy(self.network)

    def _class_id(self, wanted: str | SupportsIndex) -> int:
        if isinstance(wanted, str) and wanted in self.names:
            return self.names.index(wanted)
        if isinstance(wanted, SupportsIndex) and 0 <= operator.index(wanted) < len(self.names):
            return operator.index(wanted)
        near = get_close_matches(str(wanted), self.names, n=1)
        raise ConfigError(
            f"there is no class {wanted!r}",
            allowed=f"the {len(self.names)} of model.names, or their numbers from 0",
            fix=f"perhaps you mean {near[0]!r}" if near else "look at model.names",
        )


def load(path: str | Path | None = None, *, trusted: bool = False) -> Model:
    """The model whose weights are at `path`, or were downloaded by that name, such as "yolor-p6"; or the bundled nano.

    A file of `tacit export` is a model that only answers. `trusted` admits programs of torch (.pt2), which can do
    anything when they are read. Raises `WeightsError`.
    """
    file = None if path is None else located(path)
    if file is not None and is_exported(file):
        exported = load_exported(file, trusted=trusted)
        return Model(exported.network, exported.record, engine=exported.engine)
    loaded = load_weights(file)
    return Model(loaded.network, loaded.record)


def create(model: str, classes: Classes, *, weights: str | Path | None = None) -> Model:
    """A new model: its name in the zoo, and the names of its classes or how many there are ("class 0", ...).

    Its weights are random, or those of the file `weights`. If that has other classes, only its trunk is taken over and
    the heads are new and untrained; `model.origin` says so, and so does the log. `model.network` is in evaluation mode.

    Raises `ConfigError` for an unknown model or impossible classes and `WeightsError` for a file of another model.
    """
    start = start_from(model, classes, None if weights is None else Path(weights))
    if start.partly:
        LOG.warning("%s: %s", model, start.origin)
    return Model(start.network.eval(), start.record, start.origin)


def _answer(stages: Stages, sources: Sequence[Source], bgr: bool) -> Iterator[Result]:
    pictures = [_picture(source, bgr) for source in sources]
    for source, result in zip(sources, stages(pictures), strict=True):
        yield replace(result, path=Path(source)) if isinstance(source, str | Path) else result


def _picture(source: Source, bgr: bool) -> np.ndarray:
    if isinstance(source, str | Path):
        return load_image(Path(source))
    if isinstance(source, np.ndarray):
        return from_array(source, bgr=bgr)
    if isinstance(source, Image.Image):
        return from_pillow(source)
    raise ImageError(
        f"a {type(source).__name__} is not a photograph", allowed="a path, a numpy array, a Pillow image, or a list"
    )
