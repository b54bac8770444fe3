"""The page's program for those who have no tacit: its boxes are tacit's."""

import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from small_export import SMALL

from tacit import load

pytest.importorskip("onnxruntime")

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs/learn/export.md"
LINE = re.compile(r"(.+) ([\d.]+) at ([\d.]+) ([\d.]+) ([\d.]+) ([\d.]+)")


@pytest.fixture
def told(tmp_path):
    """What the program says of a photograph, in a process that cannot import tacit or torch."""
    (program,) = re.findall(r"^```py\n(.*?)^```", PAGE.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
    imported = set(re.findall(r"^(?:import|from) (\w+)", program, re.MULTILINE))
    assert imported == {"json", "numpy", "onnxruntime", "PIL"}

    def told(model, photograph):
        (tmp_path / "boxes.onnx").symlink_to(model)
        (tmp_path / "photo.jpg").symlink_to(photograph)
        done = subprocess.run([sys.executable, "-c", program], cwd=tmp_path, capture_output=True, text=True, check=True)
        return [LINE.fullmatch(line).groups() for line in done.stdout.splitlines()]

    return told


def compare(found, result):
    """Boxes of 1 part in 100 of difference in any number, and at most one in ten that only one side has."""
    names = [result.names[number] for number in result.classes]
    matched = 0
    for name, score, *corners in found:
        near = np.abs(result.boxes - np.array(corners, float)).max(1) < 0.01 * max(result.width, result.height)
        alike = np.abs(result.scores - float(score)) < 0.03
        matched += any(near & alike & np.array([other == name for other in names]))
    assert matched >= 0.9 * max(len(found), len(result))
    return matched


def test_value_the_small_model(told, samples):
    result = load(SMALL).predict(samples[0], confidence=0.3)
    result = result if len(result) <= 50 else None
    found = told(SMALL, samples[0])
    assert len(found) > 0
    assert result is None or compare(found, result)


@pytest.mark.slow
def test_value_the_bundled_detector(told, samples, tmp_path):
    from tacit.runtime.export import Wish, export
    from tacit.thresholds import Thresholds

    model = load()
    export(model.network.only(["detect"]), model.record, tmp_path / "nano.onnx", Wish(suppression=Thresholds()))
    for photograph in samples[:1]:
        found = told(tmp_path / "nano.onnx", photograph)
        assert compare(found, model.predict(photograph)) > 0
