"""Labels follow their picture through everything that training does to it; a label that records shows how."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Self

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scenes import photographs, scene

from tacit.data import compose, follow, mix, mosaic, warp
from tacit.data.augment import PLAIN, Augment
from tacit.data.label import Label, Move
from tacit.data.loader import TrainingPhotos
from tacit.data.mix import Flips
from tacit.data.mosaic import Four
from tacit.data.sample import Sample, Scene
from tacit.data.tickets import Ticket
from tacit.data.warp import Warp


@dataclass(frozen=True, eq=False)
class Corners(Label):
    """A point in the middle of every box, in pixels, and its number; `moves` counts what it went through."""

    points: np.ndarray
    numbers: tuple[int, ...]
    moves: int = 0

    def kept(self, rows: np.ndarray) -> Self:
        return replace(self, points=self.points[rows], numbers=tuple(self.numbers[row] for row in rows.tolist()))

    def renamed(self, ids: np.ndarray) -> Self:
        return replace(self, numbers=tuple(int(ids[number]) for number in self.numbers))

    def moved(self, move: Move) -> Self:
        return replace(self, points=move.points(self.points), moves=self.moves + 1)

    @classmethod
    def joined(cls, parts: Sequence[Self | None], boxes: Sequence[int]) -> Self:
        known = [
            part or cls(np.full((count, 2), np.nan), (-1,) * count) for part, count in zip(parts, boxes, strict=True)
        ]
        numbers = sum((part.numbers for part in known), ())
        return cls(np.concatenate([part.points for part in known]), numbers, max(part.moves for part in known))


class Fragile(Corners):
    """No longer true after anything."""

    def moved(self, move: Move) -> None:
        return None


def middles(boxes: np.ndarray) -> np.ndarray:
    return (boxes[:, :2] + boxes[:, 2:]).astype(np.float64) / 2


def labelled(height: int, width: int, boxes: list[list[float]], kind: type[Corners] = Corners) -> Scene:
    """Noise with boxes, and a label of their middles."""
    plain = scene(height, width, boxes)
    return replace(plain, labels={kind: kind(middles(plain.boxes), tuple(range(len(boxes))))})


def label_of(shown: Scene | Sample) -> Corners:
    label = shown.label(Corners)
    assert label is not None
    return label


PAIR = [[4, 6, 24, 26], [30, 10, 44, 40]]


def assert_follows(shown: Scene, atol: float = 1e-4) -> None:
    """The points are still the middles of the boxes, none of which a picture's edge has cut."""
    assert len(label_of(shown).numbers) == len(shown.boxes) > 0
    np.testing.assert_allclose(label_of(shown).points, middles(shown.boxes), atol=atol)


@pytest.mark.parametrize(("left_right", "up_down"), [(True, False), (False, True), (True, True)])
def test_value_flips(left_right: bool, up_down: bool) -> None:
    shown = mix.flip(labelled(48, 60, PAIR), Flips(left_right, up_down))
    assert_follows(shown)
    assert label_of(shown).moves == 1


def test_value_no_flip_moves_nothing() -> None:
    before = labelled(48, 60, PAIR)
    assert mix.flip(before, Flips()) is before


def test_value_warp_moves_and_drops_what_the_boxes_lose() -> None:
    """Shifted left by a half, the first of the boxes is gone."""
    shown = warp.apply(labelled(48, 60, PAIR), Warp(shift=(0.0, 0.5)), 48, 60)
    assert label_of(shown).numbers == (1,)
    assert_follows(shown)


@given(st.integers(0, 2**32 - 1))
def test_value_any_warp_keeps_one_row_a_box(seed: int) -> None:
    drawn = warp.draw(Augment(degrees=45.0, translate=0.5, perspective=0.001), np.random.default_rng(seed))
    shown = warp.apply(labelled(48, 60, [*PAIR, [20, 20, 40, 44]]), drawn, 64, 64)
    assert len(label_of(shown).numbers) == len(shown.boxes) == len(label_of(shown).points)
    assert label_of(shown).numbers == tuple(shown.classes.tolist())  # a box's number is its class here


def test_value_mosaics_join_what_they_paste() -> None:
    scenes = [labelled(16, 16, [[2, 2, 14, 14]]) for _ in range(4)]
    joined = mosaic.apply(scenes, Four((1.0, 1.0)), 16)
    assert_follows(joined)
    assert label_of(joined).numbers == (0, 0, 0, 0)


def test_value_a_part_without_the_label_is_told_to_the_label() -> None:
    scenes = [labelled(16, 16, [[2, 2, 14, 14]]), *(scene(16, 16, [[2, 2, 14, 14], [1, 1, 8, 8]]) for _ in range(3))]
    assert label_of(mosaic.apply(scenes, Four((1.0, 1.0)), 16)).numbers == (0, *(-1,) * 6)


def test_value_mixup_joins_both() -> None:
    shown = mix.mixup(labelled(32, 32, [[2, 2, 14, 14]]), labelled(32, 32, [[8, 4, 30, 20]]), 0.5)
    assert_follows(shown)


def test_value_what_is_no_longer_true_is_gone() -> None:
    fragile = labelled(48, 60, PAIR, Fragile)
    assert fragile.label(Fragile) is not None
    for shown in (
        mix.flip(fragile, Flips(left_right=True)),
        warp.apply(fragile, Warp(), 48, 60),
        mosaic.apply([fragile] * 4, Four((1.0, 1.0)), 64),
    ):
        assert shown.labels == {}
        assert len(shown.boxes)


def test_value_renamed_reaches_every_label() -> None:
    labels = follow.renamed(labelled(48, 60, PAIR).labels, np.array([5, 3]))
    assert labels[Corners].numbers == (5, 3)


@pytest.fixture
def samples(tmp_path: Path) -> list[Sample]:
    """Six photographs with one box each, of which the label numbers the photograph."""
    return [
        replace(sample, labels={Corners: Corners(middles(sample.boxes), (sample.id,))})
        for sample in photographs(tmp_path)
    ]


def test_value_reading_and_letterbox_move_labels_as_boxes(samples: list[Sample]) -> None:
    photos = TrainingPhotos(samples, 96, PLAIN, seed=0)
    for index in range(len(samples)):
        for size in (64, 96):
            shown = photos[Ticket(0, index, size)].scene
            assert_follows(shown, atol=1e-3)
            assert label_of(shown).numbers == (index,)


def test_value_all_of_augmentation_keeps_labels_beside_their_boxes(samples: list[Sample]) -> None:
    """The boxes' classes are the photographs' numbers, and so are the labels'."""
    photos = TrainingPhotos(samples, 96, Augment(mosaic=0.7, mosaic_nine=0.3, mixup=0.5, flip_up_down=0.5), seed=3)
    scenes = [photos[Ticket(0, index, 96, turn)].scene for index in range(6) for turn in range(4)]
    assert max(len(shown.boxes) for shown in scenes) > 4
    for shown in scenes:
        assert label_of(shown).numbers == tuple(shown.classes.tolist())


def unboxed(sample: Sample) -> Sample:
    return replace(
        sample,
        boxes=np.zeros((0, 4), np.float32),
        classes=np.zeros(0, np.int64),
        crowd=np.zeros(0, bool),
        area=np.zeros(0, np.float32),
        labels={},
        boxed=False,
    )


def test_value_unboxed_photographs_are_never_joined(samples: list[Sample]) -> None:
    """A mosaic would leave nothing true of them, nor of those they are joined with."""
    mixed = [unboxed(sample) if sample.id in {1, 4} else sample for sample in samples]
    photos = TrainingPhotos(mixed, 64, Augment(mosaic=1.0, mosaic_nine=0.5, mixup=1.0), seed=0)
    for index in range(6):
        for turn in range(8):
            item = photos[Ticket(0, index, 64, turn)]
            names = {path.name for path in item.paths}
            if index in {1, 4}:
                assert names == {f"{index}.png"}
                assert not item.scene.boxed
            else:
                assert not names & {"1.png", "4.png"}
                assert item.scene.boxed


def test_value_without_a_single_boxed_photograph_nothing_is_joined(samples: list[Sample]) -> None:
    photos = TrainingPhotos([unboxed(sample) for sample in samples], 64, Augment(mosaic=1.0, mixup=1.0), seed=0)
    assert [len(photos[Ticket(0, index, 64)].paths) for index in range(6)] == [1] * 6


def test_value_the_rest_of_the_augmentation_reaches_a_photograph_alone() -> None:
    nobody = np.empty(0, np.int64)
    drawn = compose.draw(Augment(mosaic=1.0, flip_left_right=1.0), np.random.default_rng(0), 3, nobody)
    assert [view.photos for view in drawn.views] == [(3,)]
    assert drawn.views[0].layout is None
    assert drawn.flips.left_right
