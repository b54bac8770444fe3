"""Decoded at a fraction or whole, `nano` finds the same things in real photographs of 3,000 pixels."""

import numpy as np
import pytest
from PIL import Image

import tacit
from tacit.data.images import load_image
from tacit.predict.pipeline import predict_files
from tacit.stages import Thresholds

SURE, SCORE, EDGE = 0.4, 0.06, 0.03  # boxes compared; how far scores and edges (of the longer side) may move


@pytest.fixture(scope="module")
def stages():
    return tacit.load().stages(Thresholds(confidence=0.2), tasks=["detect"])


@pytest.mark.slow
def test_the_same_boxes(stages, samples, tmp_path):
    compared = 0
    for sample in samples:
        small = Image.open(sample).convert("RGB")
        scale = 3000 / max(small.size)
        path = tmp_path / sample.name
        small.resize((round(small.width * scale), round(small.height * scale))).save(path, quality=90)
        (reduced,) = predict_files(stages, [path])
        (whole,) = stages([load_image(path)])
        assert reduced.image is None
        for box, score, index in zip(whole.boxes, whole.scores, whole.classes, strict=True):
            if score >= SURE:
                near = np.abs(reduced.boxes - box).max(1) / 3000 + (reduced.classes != index)
                assert near.min() < EDGE
                assert abs(reduced.scores[near.argmin()] - score) < SCORE
                compared += 1
    assert compared >= 2
