"""One training picture from its parts: first every number is drawn, then the numbers are applied.

The order is the reference's: mosaic or letterbox, warp, mixup, colours, flips.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Int64

from tacit.data import follow, mix, mosaic, photometric, warp
from tacit.data.augment import Augment
from tacit.data.label import Move
from tacit.data.sample import Scene
from tacit.data.warp import Warp
from tacit.geometry.letterbox import letterbox

Partners = Int64[np.ndarray, " photographs"]


@dataclass(frozen=True)
class View:
    """Photographs (by index) joined by a layout, or a single one letterboxed, and then warped."""

    photos: tuple[int, ...]
    layout: mosaic.Layout | None
    moved: Warp


@dataclass(frozen=True)
class Drawn:
    """Everything that chance decides about one training picture; two views are blended, the first by `share`."""

    views: tuple[View, ...]
    share: float
    hsv: photometric.Hsv
    flips: mix.Flips


def draw(augment: Augment, rng: np.random.Generator, index: int, partners: Partners) -> Drawn:
    """Chance for photograph `index`, which mosaic and mixup join with any of `partners`; with none it stays alone."""
    first = _draw_view(augment, rng, index, partners)
    views: tuple[View, ...] = (first,)
    if first.layout is not None and rng.uniform() < augment.mixup:
        other = int(partners[rng.integers(len(partners))])
        views = (first, _draw_mosaic(augment, rng, other, partners))
    return Drawn(views, mix.draw_share(rng), photometric.draw(augment, rng), mix.draw_flips(augment, rng))


def apply(drawn: Drawn, photo: Callable[[int], Scene], size: int) -> Scene:
    """The training picture, `size` x `size`; `photo` gives a photograph whose long side is `size`."""
    scene = _view(drawn.views[0], photo, size)
    for other in drawn.views[1:]:
        scene = mix.mixup(scene, _view(other, photo, size), drawn.share)
    coloured = replace(scene, image=photometric.apply(scene.image, drawn.hsv))
    return mix.flip(coloured, drawn.flips)


def _draw_view(augment: Augment, rng: np.random.Generator, index: int, partners: Partners) -> View:
    if rng.uniform() < augment.mosaic and len(partners):
        return _draw_mosaic(augment, rng, index, partners)
    return View((index,), None, warp.draw(augment, rng))


def _draw_mosaic(augment: Augment, rng: np.random.Generator, index: int, partners: Partners) -> View:
    nine = rng.uniform() < augment.mosaic_nine
    layout = mosaic.draw_nine(rng) if nine else mosaic.draw_four(rng)
    others = partners[rng.integers(len(partners), size=layout.photos - 1)]
    return View((index, *others.tolist()), layout, warp.draw(augment, rng))


def _view(view: View, photo: Callable[[int], Scene], size: int) -> Scene:
    scenes = [photo(index) for index in view.photos]
    canvas = _framed(scenes[0], size) if view.layout is None else mosaic.apply(scenes, view.layout, size)
    return warp.apply(canvas, view.moved, size, size)


def _framed(scene: Scene, size: int) -> Scene:
    image, plan = letterbox(scene.image, size)
    labels = follow.moved(scene.labels, Move(follow.scaling(*plan.ratio, *plan.pad), plan.source, plan.target))
    return replace(scene, image=image, boxes=plan.boxes_to_target(scene.boxes), labels=labels)
