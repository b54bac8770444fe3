"""One training picture from its parts: first every number is drawn, then the numbers are applied.

The order is the reference's: mosaic or letterbox, warp, mixup, colours, flips.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from tacit.data import mix, mosaic, photometric, warp
from tacit.data.augment import Augment
from tacit.data.sample import Scene
from tacit.data.warp import Warp
from tacit.geometry.letterbox import letterbox


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


def draw(augment: Augment, rng: np.random.Generator, index: int, count: int) -> Drawn:
    """Chance for photograph `index` out of `count`; the partners in mosaic and mixup are any of the others."""
    first = _draw_view(augment, rng, index, count)
    views: tuple[View, ...] = (first,)
    if first.layout is not None and rng.uniform() < augment.mixup:
        views = (first, _draw_mosaic(augment, rng, int(rng.integers(count)), count))
    return Drawn(views, mix.draw_share(rng), photometric.draw(augment, rng), mix.draw_flips(augment, rng))


def apply(drawn: Drawn, photo: Callable[[int], Scene], size: int) -> Scene:
    """The training picture, `size` x `size`; `photo` gives a photograph whose long side is `size`."""
    scene = _view(drawn.views[0], photo, size)
    for other in drawn.views[1:]:
        scene = mix.mixup(scene, _view(other, photo, size), drawn.share)
    coloured = Scene(photometric.apply(scene.image, drawn.hsv), scene.boxes, scene.classes)
    return mix.flip(coloured, drawn.flips)


def _draw_view(augment: Augment, rng: np.random.Generator, index: int, count: int) -> View:
    if rng.uniform() < augment.mosaic:
        return _draw_mosaic(augment, rng, index, count)
    return View((index,), None, warp.draw(augment, rng))


def _draw_mosaic(augment: Augment, rng: np.random.Generator, index: int, count: int) -> View:
    nine = rng.uniform() < augment.mosaic_nine
    layout = mosaic.draw_nine(rng) if nine else mosaic.draw_four(rng)
    partners = rng.integers(count, size=layout.photos - 1)
    return View((index, *partners.tolist()), layout, warp.draw(augment, rng))


def _view(view: View, photo: Callable[[int], Scene], size: int) -> Scene:
    scenes = [photo(index) for index in view.photos]
    canvas = _framed(scenes[0], size) if view.layout is None else mosaic.apply(scenes, view.layout, size)
    return warp.apply(canvas, view.moved, size, size)


def _framed(scene: Scene, size: int) -> Scene:
    image, plan = letterbox(scene.image, size)
    return Scene(image, plan.boxes_to_target(scene.boxes), scene.classes)
