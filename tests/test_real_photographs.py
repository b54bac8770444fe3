"""What is promised of the bundled weights, on the real photographs."""

import json

import pytest
from pictures import SAMPLES

from tacit import load
from tacit.data.read import read
from tacit.evaluate import evaluate
from tacit.stages import SCORING
from tacit.training.loop import train
from tacit.training.recipe import Recipe


@pytest.mark.slow
def test_the_record_tells_what_scoring_finds(data_root):
    model = load()
    found = evaluate(model.stages(SCORING), read(data_root / "everyday", "dev")).scores.headline("person")
    assert model.record.figures.keys() == found.keys()
    for name, value in model.record.figures.items():
        assert value == pytest.approx(found[name], abs=5e-4), name  # processors differ in the last bits of a score


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
