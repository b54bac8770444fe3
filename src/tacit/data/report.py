"""What is in a dataset, for people: counts, sizes, faults, and a sheet of photographs with their boxes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from jaxtyping import UInt8

from tacit.data.images import load_image
from tacit.data.sample import Dataset, Fault, Sample
from tacit.drawing import draw_boxes
from tacit.errors import DataError, ImageError

SMALL, LARGE = 32**2, 96**2  # square pixels, where COCO's small objects end and its large ones begin
CELL = (480, 360)  # width and height of a photograph's place on the sheet
GAP = 8
PAPER = 255  # white


@dataclass(frozen=True)
class ClassCount:
    """How often one class is labelled, and on how many photographs."""

    name: str
    boxes: int
    images: int


@dataclass(frozen=True)
class DatasetReport:
    """The figures of one split. `labels` counts them by kind; sizes of photographs are (least, median, greatest)."""

    root: Path
    kind: str
    split: str
    images: int
    backgrounds: int  # photographs without a box
    labels: dict[str, int]
    crowd: int
    classes: tuple[ClassCount, ...]
    widths: tuple[int, int, int]
    heights: tuple[int, int, int]
    small: int
    medium: int
    large: int
    faults: tuple[Fault, ...]

    @property
    def lost_images(self) -> int:
        return sum(fault.lost == "image" for fault in self.faults)

    @property
    def lost_labels(self) -> int:
        return sum(fault.lost == "label" for fault in self.faults)

    def rows(self) -> list[tuple[str, str]]:
        """(what, figure) line by line, without the classes and the faults themselves."""
        least, median, greatest = (f"{w} x {h}" for w, h in zip(self.widths, self.heights, strict=True))
        labels = [(kind, f"{count:,}") for kind, count in self.labels.items()]
        return [
            ("layout", f"{self.kind}, split {self.split}"),
            ("photographs", f"{self.images:,}, {self.backgrounds:,} of them without a box"),
            *labels,
            ("crowds", f"{self.crowd:,}"),
            ("classes", f"{len(self.classes)}, {sum(item.boxes > 0 for item in self.classes)} of them labelled"),
            ("photograph sizes", f"{median} (median sides), from {least} to {greatest}"),
            ("object sizes", f"{self.small:,} small, {self.medium:,} medium, {self.large:,} large"),
            (
                "faults",
                f"{len(self.faults):,}: {self.lost_images:,} photographs and {self.lost_labels:,} labels left out",
            ),
        ]

    def to_text(self) -> str:
        """Everything as plain text, with one line a class and one a fault."""
        width = max(len(what) for what, _ in self.rows())
        figures = [f"{what:<{width}}  {figure}" for what, figure in self.rows()]
        classes = [f"  {item.name}: {item.boxes:,} boxes on {item.images:,} photographs" for item in self.classes]
        faults = [f"  {fault.line()}" for fault in self.faults]
        return "\n".join([str(self.root), *figures, "", *classes, *([""] if faults else []), *faults])


def describe(dataset: Dataset) -> DatasetReport:
    """The figures of `dataset`; classes stand in its own order. Raises DataError when it has no photographs."""
    if not dataset.samples:
        raise DataError(
            f"{dataset.root} ({dataset.split}) has no photographs", allowed="at least one", fix="see its faults"
        )
    samples = dataset.samples
    boxes = Counter(int(i) for sample in samples for i in sample.classes)
    images = Counter(int(i) for sample in samples for i in np.unique(sample.classes))
    area = np.concatenate([sample.area for sample in samples])
    return DatasetReport(
        root=dataset.root,
        kind=dataset.kind,
        split=dataset.split,
        images=len(samples),
        backgrounds=sum(len(sample.boxes) == 0 for sample in samples),
        labels=_counts(samples),
        crowd=sum(int(sample.crowd.sum()) for sample in samples),
        classes=tuple(ClassCount(name, boxes[i], images[i]) for i, name in enumerate(dataset.classes)),
        widths=_spread([sample.width for sample in samples]),
        heights=_spread([sample.height for sample in samples]),
        small=int((area < SMALL).sum()),
        medium=int(((area >= SMALL) & (area <= LARGE)).sum()),
        large=int((area > LARGE).sum()),
        faults=dataset.faults,
    )


def _counts(samples: Sequence[Sample]) -> dict[str, int]:
    """The labels by kind: boxes, where they are labelled at all, and whatever else there is."""
    counts = Counter(boxes=sum(len(sample.boxes) for sample in samples)) if any(s.boxed for s in samples) else Counter()
    for label in (label for sample in samples for label in sample.labels.values()):
        counts.update(label.counts)
    return dict(counts)


def contact_sheet(dataset: Dataset, columns: int = 4, count: int = 16, seed: int = 0) -> UInt8[np.ndarray, "h w 3"]:
    """Up to `count` photographs with their boxes in `columns`, picked by `seed`; damaged ones are passed over.

    Raises DataError when none decodes.
    """
    order = np.random.default_rng(seed).permutation(len(dataset.samples))
    cells: list[UInt8[np.ndarray, "h w 3"]] = []
    for i in order.tolist():
        if len(cells) == count:
            break
        try:
            cells.append(_cell(load_image(dataset.samples[i].path), dataset.samples[i], dataset.classes))
        except ImageError:  # `verify_images` names it
            continue
    if not cells:
        raise DataError(f"{dataset.root} has no photograph to show", allowed="at least one", fix="see its faults")
    return _laid_out(cells, min(columns, len(cells)))


def _cell(
    image: UInt8[np.ndarray, "h w 3"], sample: Sample, names: tuple[str, ...]
) -> UInt8[np.ndarray, "place_height place_width 3"]:
    """The photograph in the middle of its place, boxes drawn at the size they are seen at."""
    height, width = image.shape[:2]
    scale = min(CELL[0] / width, CELL[1] / height)
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    small = cv2.resize(image, size, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR)
    stretch = np.array([size[0] / width, size[1] / height] * 2, dtype=np.float32)
    titles = [*names, *(f"crowd: {name}" for name in names)]
    drawn = draw_boxes(small, sample.boxes * stretch, sample.classes + len(names) * sample.crowd, titles)
    cell = np.full((CELL[1], CELL[0], 3), PAPER, dtype=np.uint8)
    left, top = (CELL[0] - size[0]) // 2, (CELL[1] - size[1]) // 2
    cell[top : top + size[1], left : left + size[0]] = drawn
    return cell


def _laid_out(cells: list[UInt8[np.ndarray, "place_height place_width 3"]], columns: int) -> UInt8[np.ndarray, "h w 3"]:
    rows = -(-len(cells) // columns)
    step = (CELL[0] + GAP, CELL[1] + GAP)
    sheet = np.full((rows * step[1] + GAP, columns * step[0] + GAP, 3), PAPER, dtype=np.uint8)
    for i, cell in enumerate(cells):
        top, left = GAP + i // columns * step[1], GAP + i % columns * step[0]
        sheet[top : top + CELL[1], left : left + CELL[0]] = cell
    return sheet


def _spread(values: list[int]) -> tuple[int, int, int]:
    return min(values), int(np.median(values)), max(values)
