"""What an exported model says of itself: enough to predict with it, for us and for a stranger.

It travels as plain strings, the metadata of every format: in an ONNX file its `metadata_props`, in OpenVINO's IR the
runtime information, in a torch archive a file beside the program.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from tacit import __version__
from tacit.errors import ConfigError, WeightsError
from tacit.geometry.letterbox import FILL
from tacit.network import Network
from tacit.runtime.engine import Precision
from tacit.thresholds import Thresholds
from tacit.weights.record import Record

FORMAT = 1
"""Rises when an older tacit could no longer use what a newer one exports."""
KEY = "tacit_format"  # the one that every export has, and nothing else
LETTERBOX: Mapping[str, Any] = {
    "colours": "RGB, from 0 to 1",
    "scale": "min(size / width, size / height), sides rounded, bilinear",
    "border": "up to multiples of stride, half on either side, the smaller half left and above",
    "fill": FILL,
}
"""How a photograph becomes the input, for readers; the code is `geometry.letterbox`."""


@dataclass(frozen=True, kw_only=True)
class Passport:
    """The record of the weights, and the interface of the file they are in."""

    record: Record
    stride: int
    parts: Mapping[str, tuple[str, ...]]
    """The outputs of every task; in the file they are called "task/part"."""
    precision: Precision = Precision.FP32
    suppression: Thresholds | None = None
    """What a graph with suppression inside counts as found."""
    version: str = field(default=__version__)
    """The tacit that wrote it."""

    @property
    def outputs(self) -> tuple[str, ...]:
        """The outputs as the file calls them, in its order."""
        return tuple(f"{task}/{part}" for task, parts in self.parts.items() for part in parts)

    def suppressing(self, limits: Thresholds) -> Passport:
        """The same of a file with suppression inside."""
        return replace(self, suppression=limits)

    def calculating(self, precision: Precision) -> Passport:
        """The same of a file to be calculated in that."""
        return replace(self, precision=precision)

    def to_strings(self) -> dict[str, str]:
        """Numbers and words as they are, all else as JSON."""
        plans = self.record.plans()
        told = {
            KEY: str(FORMAT),
            "tacit_version": self.version,
            "tacit_record": self.record.to_json(),
            "names": json.dumps(self.record.classes),
            "stride": str(self.stride),
            "size": str(self.record.input_size),
            "letterbox": json.dumps(dict(LETTERBOX)),
            "outputs": json.dumps({task: list(parts) for task, parts in self.parts.items()}),
            "knowledge": json.dumps([task for task in self.parts if "task" in plans.get(task, {})]),
            "licence": self.record.licence,
            "precision": self.precision.value,
        }
        if self.suppression is not None:
            told["suppression"] = json.dumps(asdict(self.suppression))
        return told

    @classmethod
    def from_strings(cls, told: Mapping[str, str]) -> Passport:
        """The passport again. Raises WeightsError where that is none, or one of another format."""
        if KEY not in told:
            raise WeightsError("the model says nothing of tacit", allowed="models that tacit export has written")
        if told[KEY] != str(FORMAT):
            raise WeightsError(
                f"the model is in format {told[KEY][:20]!r}, written by tacit {told.get('tacit_version', '?')[:20]!r}",
                allowed=f"format {FORMAT}",
                fix="export it again with this version",
            )
        try:
            parts = {str(task): tuple(map(str, parts)) for task, parts in json.loads(told["outputs"]).items()}
            suppression = json.loads(told["suppression"]) if "suppression" in told else None
            return cls(
                record=Record.from_json(told["tacit_record"]),
                stride=int(told["stride"]),
                parts=parts,
                precision=Precision(told["precision"]),
                suppression=None if suppression is None else Thresholds(**suppression),
                version=told["tacit_version"],
            )
        except (KeyError, ValueError, TypeError, AttributeError, RecursionError, ConfigError) as error:
            raise WeightsError(f"the description in the model is damaged ({error!r})"[:200]) from error


def passport_of(
    network: Network, record: Record, parts: Mapping[str, tuple[str, ...]], precision: Precision = Precision.FP32
) -> Passport:
    """The passport of an exported network, whose tasks may be fewer than those of the record."""
    plans = record.plans()
    if record.tasks or set(network.tasks) != set(plans):
        record = replace(record, tasks={task: plans[task] for task in network.tasks})
    return Passport(record=record, stride=network.stride, parts=parts, precision=precision)
