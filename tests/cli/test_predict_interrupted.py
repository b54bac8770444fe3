"""Ctrl-C in the middle of many photographs: it ends at once, what is done stays, and every line has its picture."""

import json
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from PIL import Image

HEARS = """
import signal
from tacit.cli import main
signal.signal(signal.SIGINT, signal.default_int_handler)  # ignored in what a shell runs in the background
raise SystemExit(main())
"""


@pytest.mark.slow
def test_ctrl_c_keeps_whole_lines_and_whole_pictures(photos, weights, tmp_path):
    many, out = tmp_path / "many", tmp_path / "out"
    many.mkdir()
    for number in range(3000):
        (many / f"{number}.png").symlink_to(photos / f"{number % 5}.png")
    words = [sys.executable, "-c", HEARS, "predict", many, "--weights", weights, "--output", out, "--json"]
    lines, patience = out / "results.jsonl", time.monotonic() + 120
    with subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True) as process:
        while not (lines.exists() and lines.stat().st_size) and time.monotonic() < patience:
            time.sleep(0.02)
        process.send_signal(signal.SIGINT)
        said = process.communicate(timeout=60)[1]
    assert (process.returncode, said) == (130, "interrupted\n")
    done = [json.loads(line) for line in lines.read_text().splitlines()]
    assert 0 < len(done) < 3000
    drawn = {path.name for path in out.iterdir()} - {"results.jsonl"}
    told = [Path(line["path"]).name for line in done]
    assert set(told) <= drawn
    assert len(drawn) <= len(told) + 1  # the interrupt may come between a picture and its line
    for name in drawn:
        Image.open(out / name).load()  # a part of one would raise
