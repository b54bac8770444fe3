"""`tacit export`: weights become one file that other programs can run."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated

import numpy as np
from tyro.conf import Positional, UseAppendAction, arg

from tacit.api import Model, load
from tacit.cli.int8 import calibrating, show_cost
from tacit.cli.screen import parse, say
from tacit.errors import ConfigError
from tacit.predict.writers import make_folder
from tacit.runtime.engine import Precision
from tacit.runtime.export import Format, Wish, export
from tacit.runtime.quantise import MOST
from tacit.thresholds import Thresholds
from tacit.training.typed_json import separated


@dataclass(frozen=True, kw_only=True)
class Options:
    """Turn weights into one file that other programs can run: forward and decode, sizes dynamic, outputs named."""

    weights: Annotated[Path | None, Positional, arg(metavar="WEIGHTS")] = None
    """Weights file; without it the bundled nano."""
    format: Format | None = None
    """onnx, for almost anything; openvino, for Intel's processors; tensorrt, for NVIDIA's; torch, a .pt2 program.
    Without it onnx, or openvino for int8."""
    output: Path | None = None
    """The file to write; without it MODEL.onnx, .xml, .engine or .pt2 in this folder."""
    precision: Precision = Precision.FP32
    """What the convolutions are calculated in; for tensorrt, openvino and torch also bf16, for openvino int8."""
    data: Path | None = None
    """For int8: photographs such as it will see, to measure on. Of a dataset those that training would learn from; what
    int8 costs is then scored on the others."""
    photographs: int = MOST
    """For int8: on how many of them."""
    tasks: tuple[str, ...] = ()
    """What it shall answer, such as detect,pose; without it all that the weights know."""
    knowledge: Annotated[tuple[Path, ...], UseAppendAction] = ()
    """Knowledge file (see tacit teach) to export with them; may be said several times."""
    nms: bool = False
    """Suppress boxes inside too: outputs detect/boxes and detect/sources beside detect/rows."""
    confidence: float = 0.25
    """With --nms: boxes with a lower score are left out (0 to 1)."""
    iou: float = 0.5
    """With --nms: of two boxes of one class that overlap by more than this, the better one stays (0 to 1)."""
    max_detections: int = 300
    """With --nms: at most so many boxes a photograph."""
    size: int | None = None
    """Long side in pixels that photographs are fitted to by default; without it that of the weights."""

    def __post_init__(self) -> None:
        if self.data is not None and self.precision is not Precision.INT8:
            raise ConfigError("--data says nothing here", fix="add --precision int8")

    @property
    def kind(self) -> Format:
        """The format that was asked for, or fits the precision."""
        return self.format or (Format.OPENVINO if self.precision is Precision.INT8 else Format.ONNX)

    def wish(self) -> Wish:
        """How to export. Raises ConfigError for what does not go together."""
        limits = Thresholds(confidence=self.confidence, iou=self.iou, max_detections=self.max_detections)
        return Wish(format=self.kind, precision=self.precision, suppression=limits if self.nms else None)

    def model(self) -> Model:
        """What to export. Raises WeightsError and ConfigError."""
        model = load(self.weights)
        if model.exported:
            raise ConfigError(f"{self.weights} has been exported already", fix="export the weights it was made of")
        for file in self.knowledge:
            model = model.add(file)
        size = model.stages(size=self.size).size  # one that the network can take
        network = model.network.only(separated(self.tasks)) if self.tasks else model.network
        return replace(model, network=network, record=replace(model.record, input_size=size))

    def path(self, model: Model) -> Path:
        """Where to write. Raises ConfigError for a name that says another format."""
        path = self.output or Path(model.record.model + self.kind.suffix)
        if path.suffix != self.kind.suffix:
            raise ConfigError(
                f"{path} is no name for what --format {self.kind.value} writes",
                allowed=f"a name that ends in {self.kind.suffix}",
            )
        return path


def run(arguments: Sequence[str]) -> int:
    """Exports, and says what was written; returns 0."""
    options = parse(Options, arguments, "export")
    wish, model = options.wish(), options.model()
    path = options.path(model)
    make_folder(path.parent)
    chosen: Iterable[np.ndarray] = ()
    if wish.precision is Precision.INT8:
        chosen = calibrating(model, options.data, options.photographs)
    passport = export(model.network, model.record, path, wish, chosen)
    files = wish.format.files(path)
    size = sum(file.stat().st_size for file in files)
    outputs = ", ".join(passport.outputs)
    say(f"{passport.record.model}, {passport.precision.value}, licence {passport.record.licence}: {outputs}")
    say(f"written to {' and '.join(map(str, files))} ({size / 1e6:.1f} MB)")
    if options.data is not None:
        show_cost(model, path, options.data)
    return 0
