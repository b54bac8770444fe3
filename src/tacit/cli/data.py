"""`tacit data`: what is in a dataset, every fault in it, and a sheet of photographs with their boxes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from PIL import Image
from tyro.conf import Positional, arg

from tacit.cli.screen import counted, parse, say, show_table, warn, warn_of
from tacit.data.read import available_splits, read, require_clean
from tacit.data.report import contact_sheet, describe
from tacit.predict.writers import make_folder

SHOWN_FAULTS = 50


@dataclass(frozen=True, kw_only=True)
class Options:
    """Look at a dataset: images, labels, classes, sizes, every fault, and a contact sheet."""

    path: Annotated[Path, Positional, arg(metavar="PATH")]
    """Folder or label file: COCO JSON, YOLO txt with a data.yaml, or VOC XML."""
    split: str | None = None
    """Only this split; without it all that there are."""
    output: Path = Path("runs/data")
    """Folder for the contact sheets and the lists of faults."""
    strict: bool = False
    """A fault is an error."""


def run(arguments: Sequence[str]) -> int:
    """Tells what is there; returns 1 if photographs or labels are left out, else 0. Every photograph is decoded."""
    options = parse(Options, arguments, "data")
    splits = available_splits(options.path) if options.split is None else (options.split,)
    make_folder(options.output)
    left_out = [_show(options, split) for split in splits]
    return 1 if any(left_out) else 0


def _show(options: Options, split: str) -> bool:
    """Tells of one split, and whether anything of it is left out."""
    dataset = read(options.path, split, verify=True)
    if options.strict:
        require_clean(dataset)
    report = describe(dataset)
    show_table(f"{options.path} ({split})", ("what", "figure"), report.rows())
    labelled = sorted((item for item in report.classes if item.boxes), key=lambda item: -item.boxes)
    rows = [(item.name, f"{item.boxes:,}", f"{item.images:,}") for item in labelled]
    show_table("classes with labels", ("class", "boxes", "photographs"), rows)
    warn_of(report.faults[:SHOWN_FAULTS])
    listing, sheet = options.output / f"{split}.txt", options.output / f"{split}.jpg"
    listing.write_text(report.to_text() + "\n", encoding="utf-8", errors="backslashreplace")
    Image.fromarray(contact_sheet(dataset)).save(sheet, quality=90)
    if len(report.faults) > SHOWN_FAULTS:
        warn(f"{counted(len(report.faults), 'fault')} in all; {listing} lists them")
    say(f"contact sheet: {sheet}\nreport: {listing}")
    return report.lost_images + report.lost_labels > 0
