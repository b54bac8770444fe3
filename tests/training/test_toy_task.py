"""A further task is one class in one file: trained, scored, drawn, with nothing else changed but a line in a list."""

import json
from pathlib import Path

import cv2
import numpy as np
import pytest
from commands import run
from drawn import drawn_dataset
from PIL import Image
from toy import Brightness

from tacit import api, weights
from tacit.tasks.known import KNOWN
from tacit.training.loop import train
from tacit.training.recipe import Recipe

OPTIONS = ("--model", "debug", "--scratch", "--epochs", "2", "--batch", "4", "--size", "64", "--workers", "0")


@pytest.fixture(autouse=True)
def known(monkeypatch):
    monkeypatch.setitem(KNOWN, "brightness", Brightness)


@pytest.fixture
def shades(tmp_path) -> Path:
    """Photographs in two folders, dark and light."""
    random = np.random.default_rng(0)
    for name, level in (("dark", 30), ("light", 200)):
        for split, count in (("train", 8), ("val", 2)):
            folder = tmp_path / "shades" / split / name
            folder.mkdir(parents=True)
            for number in range(count):
                pixels = np.clip(random.normal(level, 20, (64, 64, 3)), 0, 255).astype(np.uint8)
                Image.fromarray(pixels).save(folder / f"{number}.png")
    return tmp_path / "shades"


def test_alone_on_photographs_without_a_box(shades, tmp_path, capsys):
    out, data = tmp_path / "run", ("--data", shades)
    assert run("train", *data, "--tasks", "brightness", *OPTIONS, "--output", out) == 0
    best = out / "best.safetensors"
    record = weights.load(best).record
    assert record.classes == ()
    assert list(record.plans()) == ["brightness"]
    assert 0 < record.figures["brightness/accuracy"] <= 1
    rows = [json.loads(line) for line in (out / "log.jsonl").read_text().splitlines()]
    assert rows[1]["loss/brightness/error"] < rows[0]["loss/brightness/error"]

    assert run("val", *data, "--weights", best, "--output", tmp_path / "val") == 0
    assert json.loads((tmp_path / "val" / "scores.json").read_text())["brightness"]["accuracy"] > 0

    options = ("--weights", best, "--output", tmp_path / "drawn", "--json")
    assert run("predict", shades / "val", *options) == 0
    assert "% bright" in capsys.readouterr().out
    lines = [json.loads(line) for line in (tmp_path / "drawn" / "results.jsonl").read_text().splitlines()]
    assert all(0 <= line["brightness"] <= 1 for line in lines)
    assert all(line["boxes"] == [] for line in lines)
    pictures = [cv2.imread(str(path)) for path in (tmp_path / "drawn").rglob("*.png")]
    assert len(pictures) == len(lines) == 4
    assert all((picture[0, 0] == (0, 255, 255)).all() for picture in pictures)  # yellow: how bright it is


def test_beside_detection(tmp_path):
    data = drawn_dataset(tmp_path / "data", train=8, val=4)
    recipe = Recipe(
        data=(data,),
        tasks=("detect", "brightness"),
        model="debug",
        scratch=True,
        size=64,
        batch=4,
        workers=0,
        epochs=1,
        output=tmp_path / "run",
    )
    model = api.load(train(recipe) / "best.safetensors")
    assert model.tasks == ("detect", "brightness")
    assert {"ap", "brightness/accuracy"} <= model.record.figures.keys()
    result = model.predict(data / "images" / "val" / "1000.png")
    assert 0 <= result.answers["brightness"].share <= 1
