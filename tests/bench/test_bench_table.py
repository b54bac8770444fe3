"""The table: a contestant a column; what nobody has is left out; what has to be known stands below."""

import json

import pytest
from figures import line, report, spread
from PIL import Image

from tacit.bench.files import as_json, as_markdown, write
from tacit.bench.report import OFFICIAL
from tacit.bench.table import header, notes, rows
from tacit.runtime.agreement import LIMITS, Gap
from tacit.runtime.engine import Precision


def test_value_of_the_table():
    told = {name: cells for name, *cells in rows(report())}
    assert header(report()) == ["", OFFICIAL, "torch bf16"]
    assert told["forward, ms"] == ["100.0 ± 10.0", "50.0 ± 5.0"]
    assert told["photographs/s"] == ["9.8", "19.2"]
    assert told["x official"] == ["1.00", "1.96"]
    assert told["% of peak"] == ["50", "25"]
    assert told["memory, MB"] == ["-", "12.3"]
    assert told["difference"] == ["-", f"boxes 0.04 ({LIMITS[Precision.BF16][Gap.BOXES]:g})"]
    assert not [name for name in told if "other" in name]


def test_value_of_a_table_with_another_model():
    stranger = line("other.onnx", None, 0.2)
    mine = line("torch fp32", None, 0.1, against=spread(2.5))
    told = {name: cells for name, *cells in rows(report(lines=(mine, stranger), other="other.onnx at 64 x 64 pixels"))}
    assert told["x other, pass"] == ["2.50", "-"]


def test_value_of_the_notes():
    text = "\n".join(notes(report()))
    for said in (
        "x 1.1",
        "Abacus, 2 cores, 2 threads",
        "fp32 200, bf16 800, int8 -",
        "random weights",
        "31 candidates",
    ):
        assert said in text
    assert "int8 was" not in text
    other = "\n".join(notes(report(candidates=None, lines=(line("openvino int8", Precision.INT8, 0.1),))))
    assert "candidates" not in other
    assert "memory" not in other
    assert "int8 was calibrated" in other


def test_shape_of_markdown():
    lines = as_markdown(report()).splitlines()
    table = [each for each in lines if each.startswith("|")]
    assert {each.count("|") for each in table} == {4}
    assert lines[0] == "# debug at 64 pixels, 2026-11-23"


def test_value_of_json():
    values = json.loads(as_json(report()))
    assert values["peaks"] == {"fp32": 200.0, "bf16": 800.0}
    assert values["lines"][1]["gaps"] == {"raw": 0.01, "boxes": 0.04}
    assert values["lines"][1]["stages"]["forward"]["median"] == pytest.approx(0.05)
    assert values["machine"]["libraries"]["torch"] == "2.13"


def test_smoke_files(tmp_path):
    paths = write(report(lines=(*report().lines, line("other.onnx", None, 0.2))), tmp_path / "new")
    assert [path.name for path in paths] == ["debug-64.md", "debug-64.json", "debug-64.png"]
    assert sorted(path.name for path in (tmp_path / "new").iterdir()) == sorted(path.name for path in paths)
    with Image.open(paths[2]) as picture:
        assert min(picture.size) > 200
