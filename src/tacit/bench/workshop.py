"""Where contestants are built: a network's files, one for each kind of them, in a folder that is gone afterwards."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np

from tacit.bench.contest import square
from tacit.network import Network
from tacit.predict.folded import FoldedCopy
from tacit.runtime.engine import Engine, Precision
from tacit.runtime.exports import exported
from tacit.runtime.openvino_engine import OpenVinoEngine
from tacit.runtime.probe import photographs
from tacit.runtime.ways import Way
from tacit.runtime.wish import EngineKind
from tacit.stages import Stages
from tacit.weights.files import save
from tacit.weights.record import Record


@dataclass(frozen=True)
class Workshop:
    """Builds engines for a network that stays as it is; what `file` gives lies in `folder`."""

    network: Network
    record: Record
    size: int
    folder: Path

    @cached_property
    def folded(self) -> Network:
        """As prediction has it."""
        return FoldedCopy(self.network)()

    @cached_property
    def weights(self) -> Path:
        """All tensors, not folded."""
        save(self.network, self.record, self.folder / "weights.safetensors")
        return self.folder / "weights.safetensors"

    @cached_property
    def onnx(self) -> Path:
        """The exported network. Raises ConfigError where the extra `onnx` is missing."""
        (self.folder / "model.onnx").write_bytes(exported(self.folded, self.record))
        return self.folder / "model.onnx"

    @cached_property
    def int8(self) -> Path:
        """OpenVINO's format, measured on the sample photographs. Raises ConfigError without the extra `int8`."""
        import openvino

        from tacit.runtime.openvino_core import core
        from tacit.runtime.quantise import quantised  # nncf is slow to import

        stages = Stages(self.folded, self.record.classes, self.size)
        batches = [stages.preprocess([image], [square(image, self.size)]) for image in photographs()]
        model = quantised(core().read_model(self.onnx), [np.asarray(batch) for batch in batches])
        openvino.save_model(model, self.folder / "int8.xml", compress_to_fp16=False)
        return self.folder / "int8.xml"

    def file(self, way: Way) -> Path:
        """What a process of its own needs to build this engine again."""
        if way.kind is EngineKind.TORCH:
            return self.weights
        return self.int8 if way.precision is Precision.INT8 else self.onnx

    def engine(self, way: Way) -> Engine:
        """Raises ConfigError where a package is missing."""
        return way.build(self.folded, self.record) if way.kind is EngineKind.TORCH else from_file(way, self.file(way))

    def bytes_of(self, way: Way) -> int:
        """What the folded network takes on a disk: its weights in the precision of the way, or the exported model."""
        if way.kind is EngineKind.TORCH:
            each = 2 if way.precision is Precision.BF16 else 4
            return sum(each * value.numel() for value in self.folded.state_dict().values())
        file = self.file(way)
        return sum(part.stat().st_size for part in file.parent.glob(f"{file.stem}.*"))


def from_file(way: Way, file: Path) -> Engine:
    """The engine of an exported network."""
    if way.precision is Precision.INT8:
        return OpenVinoEngine(file, way.precision)
    return way.run(file.read_bytes())
