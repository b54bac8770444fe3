"""Small pictures with individuals, and a pyramid to look at them."""

import numpy as np
import torch

from tacit.data.identities import IdentityLabels, Shot
from tacit.data.sample import Sample, Scene
from tacit.tasks.detect.anchors import ANCHORS_640
from tacit.tasks.task import Pyramid

PYRAMID = Pyramid((4, 6, 8), (8, 16, 32), ANCHORS_640)
HEIGHT, WIDTH = 96, 64
BOXES = np.array([[4, 8, 30, 40], [34, 50, 60, 90]], np.float32)


def scene(*identities):
    """An object for each; None is a picture without labels of individuals."""
    known = identities != (None,)
    boxes = BOXES[: len(identities) if known else 2]
    labels = {IdentityLabels: IdentityLabels(np.array(identities, np.int64))} if known else {}
    return Scene(np.zeros((HEIGHT, WIDTH, 3), np.uint8), boxes, np.zeros(len(boxes), np.int64), labels)


def maps(batch=2):
    """Maps for inputs of 96 x 64."""
    rng = torch.Generator().manual_seed(1)
    return [
        torch.randn(batch, channels, HEIGHT // stride, WIDTH // stride, generator=rng)
        for channels, stride in zip(PYRAMID.channels, PYRAMID.strides, strict=True)
    ]


def sample(path, number, boxes, identities, *, views=False, frame=None, crowd=None):
    """A photograph of 200 x 100."""
    corners = np.array(boxes, np.float32).reshape(-1, 4)
    shot = None if frame is None else Shot("film", frame)
    return Sample(
        path=path,
        width=200,
        height=100,
        id=number,
        boxes=corners,
        classes=np.zeros(len(corners), np.int64),
        crowd=np.zeros(len(corners), bool) if crowd is None else np.array(crowd),
        area=(corners[:, 2:] - corners[:, :2]).prod(1),
        labels={IdentityLabels: IdentityLabels(np.array(identities, np.int64), views=views, shot=shot)},
    )
