"""What is promised of the bundled weights, on the real photographs."""

import json
import subprocess
import sys

import pytest
from pictures import SAMPLES

from tacit import load
from tacit.training.loop import train
from tacit.training.recipe import Recipe


@pytest.mark.slow
def test_the_record_tells_what_scoring_finds(data_root, tmp_path):
    command = ["val", "--data", str(data_root / "everyday"), "--split", "dev", "--output", str(tmp_path)]
    subprocess.run([sys.executable, "-m", "tacit", *command], check=True, stdout=subprocess.DEVNULL)
    found = json.loads((tmp_path / "scores.json").read_text())
    model = load()
    assert model.record.figures.keys() >= {"ap", "ap50", "segment/mask_ap50", "pose/oks_ap50", "tags/tags_map"}
    for name, value in model.record.figures.items():  # processors differ in the last bits of a score
        task, _, figure = name.rpartition("/")
        if not figure.startswith("person"):  # those of one class stand deeper in the file
            there = found[task] if task else found
            assert value == pytest.approx(there[figure.removeprefix("mask_")], abs=5e-3 if task else 5e-4), name
    assert {name.split("/")[0] for name in model.record.figures if "/" in name} | {"detect"} == set(model.tasks)


def test_captions_are_worth_their_place():
    figures = load().record.figures
    assert figures["caption/cider"] > 3 * figures["caption/cider_commonest"]


@pytest.mark.slow
def test_raccoons_are_learned_in_a_minute(data_root, tmp_path):
    recipe = Recipe(
        data=(data_root / "raccoon",), output=tmp_path / "run", epochs=8, size=256, validate_every=4, workers=0
    )
    rows = (train(recipe) / "log.jsonl").read_text().splitlines()
    assert json.loads(rows[-1])["ap50"] > 0.5


def found(sample, confidence):
    """Names of what the bundled weights find in a sample photograph."""
    model = load()
    return {model.names[i] for i in model.predict(SAMPLES / sample, confidence=confidence).classes}


@pytest.mark.parametrize(
    ("sample", "name", "confidence"),
    [
        ("astronaut.jpg", "person", 0.25),
        ("grace_hopper.jpg", "person", 0.25),
        ("cat.jpg", "cat", 0.25),
        ("coffee.jpg", "cup", 0.25),
    ],
)
def test_the_samples_show_what_they_show(sample, name, confidence):
    assert name in found(sample, confidence)
