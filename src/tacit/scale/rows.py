"""What is written of a photograph: one row of a Parquet file, of one schema whatever the tasks are."""

from __future__ import annotations

import json
from collections.abc import Sequence
from io import BytesIO
from typing import Any

import pyarrow as pa
from pyarrow import parquet

from tacit.data.sample import Fault
from tacit.results import Result

SCHEMA = pa.schema(
    [
        pa.field("path", pa.string(), nullable=False),
        ("width", pa.int32()),
        ("height", pa.int32()),
        ("fault", pa.string()),
        ("boxes", pa.list_(pa.list_(pa.float32(), 4))),
        ("scores", pa.list_(pa.float32())),
        ("classes", pa.list_(pa.int32())),
        ("names", pa.list_(pa.string())),
        ("answers", pa.string()),
    ]
)
"""Boxes are xyxy in pixels of the photograph, `names` those of the classes; `answers` is a JSON object of what each
further task says, by its name. Of a photograph without an answer only `path` and the reason, `fault`, are there."""


def row_of(name: str, answer: Result | Fault) -> dict[str, Any]:
    """The row of the photograph of that name."""
    path = name.encode(errors="backslashreplace").decode()  # names of files need not be text
    if isinstance(answer, Fault):
        return {"path": path, "fault": answer.reason.encode(errors="backslashreplace").decode()}
    return {
        "path": path,
        "width": answer.width,
        "height": answer.height,
        "boxes": answer.boxes.tolist(),
        "scores": answer.scores,
        "classes": answer.classes,
        "names": [answer.names[index] for index in answer.classes.tolist()],
        "answers": json.dumps({name: said.to_json() for name, said in answer.answers.items()}),
    }


def parquet_of(rows: Sequence[dict[str, Any]]) -> bytes:
    """A whole Parquet file with these rows."""
    content = BytesIO()
    parquet.write_table(pa.Table.from_pylist(list(rows), SCHEMA), content, compression="zstd")
    return content.getvalue()
