"""A report as files: Markdown for people, JSON for programs, and a drawing."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path

from tacit.atomic import replacing
from tacit.bench.chart import draw
from tacit.bench.report import Report
from tacit.bench.table import grid, header, notes, rows
from tacit.training.typed_json import plain


def write(report: Report, folder: Path) -> list[Path]:
    """MODEL-SIZE.md, .json and .png in `folder`, which is made; their paths. Raises OSError."""
    folder.mkdir(parents=True, exist_ok=True)
    text, values, picture = (folder / f"{report.model}-{report.size}.{ending}" for ending in ("md", "json", "png"))
    with replacing(text) as file:
        file.write(as_markdown(report).encode())
    with replacing(values) as file:
        file.write(as_json(report).encode())
    with replacing(picture) as file:
        draw(report, file)
    return [text, values, picture]


def as_json(report: Report) -> str:
    """Every figure, in seconds and bytes."""
    values = plain(asdict(report))
    for line in values["lines"]:
        line["gaps"] = {gap.value: value for gap, value in line["gaps"].items()}
    values["peaks"] = {precision.value: rate for precision, rate in values["peaks"].items()}
    return json.dumps(values, indent=1) + "\n"


def as_markdown(report: Report) -> str:
    """The table, and below what has to be known to read it."""
    table = grid([header(report), *rows(report)])
    listed = "\n".join(f"- {note}" for note in notes(report))
    return f"# {report.model} at {report.size} pixels, {report.date}\n\n{table}\n\n{listed}\n"
