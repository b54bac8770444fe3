"""A second view of a photograph: mirrored, zoomed, shifted and recoloured, always the same way."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from jaxtyping import UInt8

from tacit.data import follow, mix, photometric, warp
from tacit.data.augment import Augment
from tacit.data.sample import Sample, Scene

VARIED = Augment(hsv_s=0.5, hsv_v=0.3, translate=0.1, scale=0.25)
MIRRORED = mix.Flips(left_right=True)


def second_view(sample: Sample, image: UInt8[np.ndarray, "h w 3"]) -> tuple[Sample, UInt8[np.ndarray, "h w 3"]]:
    """The view, of the photograph's size, and what its labels say of it; its number is -1 - that of the photograph.

    Boxes that the change has spoiled, and crowds, are left out.
    """
    single = np.flatnonzero(~sample.crowd)
    labels = follow.kept(sample.labels, single)
    rng = np.random.default_rng(sample.id % 2**32)
    scene = Scene(image, sample.boxes[single], sample.classes[single], labels, sample.boxed)
    scene = warp.apply(scene, warp.draw(VARIED, rng), image.shape[0], image.shape[1])
    scene = mix.flip(replace(scene, image=photometric.apply(scene.image, photometric.draw(VARIED, rng))), MIRRORED)
    sides = scene.boxes[:, 2:] - scene.boxes[:, :2]
    twin = replace(
        sample,
        id=-1 - sample.id,
        boxes=scene.boxes,
        classes=scene.classes,
        crowd=np.zeros(len(scene.boxes), bool),
        area=sides.prod(1),
        labels=scene.labels,
    )
    return twin, scene.image
