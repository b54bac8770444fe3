"""The masks and keypoints of the lines of one YOLO label file."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from tacit.data.data_yaml import DataYaml
from tacit.data.intake import BoxLabel, Intake
from tacit.data.keypoints import KeypointLabels
from tacit.data.label import Label
from tacit.data.masks import MaskLabels
from tacit.data.segmentation import mask_labels
from tacit.data.yolo_line import Line
from tacit.data.yolo_points import LinePoints


@dataclass(frozen=True)
class YoloLabels:
    """`lines` of `file` with the boxes that were made of them."""

    file: Path
    lines: Sequence[Line]
    boxes: Sequence[BoxLabel]
    config: DataYaml
    intake: Intake

    def labels(self, width: int, height: int) -> Iterator[Label]:
        """What the lines say beside boxes, of a photograph of that size."""
        if any(line.polygon for line in self.lines):
            yield self._masks(width, height)
        if self.config.points:
            yield self._keypoints(self.config.points, width, height)

    def _masks(self, width: int, height: int) -> MaskLabels:
        """Every object has a mask, but those of lines that only state a box."""
        sources = [[line.scaled_polygon(width, height)] if line.polygon else None for line in self.lines]
        return mask_labels(sources, self.boxes, None, len(self.config.names), (width, height), self._fault)

    def _keypoints(self, points: LinePoints, width: int, height: int) -> KeypointLabels:
        stated = ((line.keypoints, partial(self._fault, i)) for i, line in enumerate(self.lines))
        return points.figure.labels([points.points(row, width, height, note) if row else None for row, note in stated])

    def _fault(self, i: int, reason: str) -> None:
        self.intake.fault(f"{self.file}:{self.boxes[i].place}", reason, "label")
