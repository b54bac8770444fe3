"""Loading: the same pictures whatever the number of workers and processes, after a resume, and around a bad file."""

from collections.abc import Sequence
from dataclasses import replace
from itertools import chain
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from scenes import photographs

from tacit.data import compose
from tacit.data.augment import PLAIN, Augment
from tacit.data.cache import Photographs, spare_memory
from tacit.data.loader import (
    Batch,
    TrainingPhotos,
    collate,
    training_loader,
)
from tacit.data.sample import Sample
from tacit.data.tickets import Ticket, TicketSampler, check_size
from tacit.errors import ConfigError, DataError, ImageError

VARIED = Augment(mosaic=0.7, mosaic_nine=0.3, mixup=0.3, degrees=5.0)


@pytest.fixture
def samples(tmp_path: Path) -> list[Sample]:
    return photographs(tmp_path)


def epochs(photos: TrainingPhotos, workers: int, world: int = 1, rank: int = 0) -> list[Batch]:
    """Two epochs of different size through one loader."""
    sampler = TicketSampler(len(photos), 4, seed=3, size=64, rank=rank, world=world)
    loader = training_loader(photos, sampler, {}, workers)
    first = list(loader)
    sampler.begin(1, size=96)
    return first + list(loader)


def unlink(samples: Sequence[Sample]) -> None:
    for sample in samples:
        sample.path.unlink()


def assert_equal(one: Sequence[Batch], other: Sequence[Batch]) -> None:
    assert len(one) == len(other)
    for a, b in zip(one, other, strict=True):
        assert torch.equal(a.images, b.images)
        assert torch.equal(a.boxes, b.boxes)
        assert (a.paths, a.faults) == (b.paths, b.faults)


def test_shape_of_a_batch(samples: list[Sample]) -> None:
    photos = TrainingPhotos(samples, 96, VARIED, seed=0)
    batch = collate([photos[Ticket(0, index, 96)] for index in range(3)], {})
    assert (batch.images.shape, batch.images.dtype) == ((3, 3, 96, 96), torch.uint8)
    assert batch.boxes.dtype == torch.float32
    assert set(batch.boxes[:, 0].tolist()) <= {0.0, 1.0, 2.0}


def test_value_a_batch_names_every_photograph_in_it(samples: list[Sample]) -> None:
    """Partners in mosaics and mixups too, each once, and the stand-in for one that cannot be read."""
    samples[1].path.write_bytes(b"not a picture")
    mosaics = Augment(mosaic=1.0, mosaic_nine=0.5, mixup=0.5)
    photos = TrainingPhotos(samples, 64, mosaics, seed=0)
    for index in range(len(samples)):
        drawn = compose.draw(mosaics, np.random.default_rng([0, 0, index, 0]), index, np.arange(len(samples)))
        expected = {samples[2 if i == 1 else i].path for view in drawn.views for i in view.photos}
        paths = collate([photos[Ticket(0, index, 64)]], {}).paths
        assert len(paths) == len(expected) > 1
        assert set(paths) == expected
    plain = TrainingPhotos(samples, 64, PLAIN, seed=0)
    assert collate([plain[Ticket(0, i, 64)] for i in (0, 0, 1)], {}).paths == (samples[0].path, samples[2].path)


def test_value_targets_of_plain_photographs(samples: list[Sample]) -> None:
    """Photograph 2 is 96 x 96 with a box from (8, 16) to (56, 80); photograph 5 is 144 x 96, scaled by 2/3."""
    photos = TrainingPhotos(samples, 96, PLAIN, seed=0)
    batch = collate([photos[Ticket(0, index, 96)] for index in (2, 5)], {})
    expected = [
        [0, 2, 32 / 96, 48 / 96, 48 / 96, 64 / 96],
        [1, 5, 32 / 144, (48 * 2 / 3 + 16) / 96, 48 / 144, 64 / 144],
    ]
    np.testing.assert_allclose(batch.boxes, expected, atol=1e-6)
    assert (batch.images[0, :, 20:76, 12:52] == 200).all()


def test_value_a_batch_without_boxes_has_no_rows(samples: list[Sample]) -> None:
    nothing = replace(
        samples[0],
        boxes=np.zeros((0, 4), np.float32),
        classes=np.zeros(0, np.int64),
        crowd=np.zeros(0, bool),
        area=np.zeros(0, np.float32),
    )
    photos = TrainingPhotos([nothing], 64, PLAIN, seed=0)
    assert collate([photos[Ticket(0, 0, 64)]], {}).boxes.shape == (0, 6)


def test_value_crowds_are_not_trained_on(samples: list[Sample]) -> None:
    crowd = replace(samples[0], crowd=np.array([True]))
    assert len(Photographs([crowd], 64).find(0, 64).scene.boxes) == 0


def test_value_workers_change_nothing(samples: list[Sample]) -> None:
    here = epochs(TrainingPhotos(samples, 96, VARIED, seed=1), workers=0)
    assert_equal(here, epochs(TrainingPhotos(samples, 96, VARIED, seed=1), workers=2))
    assert [batch.images.shape[-1] for batch in here] == [64, 64, 96, 96]


def test_value_cache_changes_nothing(samples: list[Sample]) -> None:
    kept, read = (TrainingPhotos(samples, 96, VARIED, seed=1, cache=cache) for cache in (True, False))
    assert_equal(epochs(kept, workers=0), epochs(read, workers=0))


def test_value_epochs_and_seeds_differ(samples: list[Sample]) -> None:
    photos, other = (TrainingPhotos(samples, 64, VARIED, seed=seed) for seed in (0, 1))
    pictures = [
        photos[Ticket(0, 0, 64)],
        photos[Ticket(1, 0, 64)],
        photos[Ticket(0, 0, 64, 1)],
        other[Ticket(0, 0, 64)],
    ]
    assert len({picture.scene.image.tobytes() for picture in pictures}) == 4


def test_value_loading_leaves_torchs_chance_alone(samples: list[Sample]) -> None:
    before = torch.get_rng_state()
    epochs(TrainingPhotos(samples, 96, VARIED, seed=1), workers=0)
    assert torch.equal(torch.get_rng_state(), before)


COUNTS = st.tuples(st.integers(1, 40), st.integers(1, 5), st.integers(1, 4), st.integers(0, 9))


@given(COUNTS)
def test_value_an_epoch_deals_every_photograph(numbers: tuple[int, int, int, int]) -> None:
    count, share, world, epoch = numbers
    batches = list(TicketSampler(count, share * world, seed=0, size=64, epoch=epoch))
    dealt = [ticket for batch in batches for ticket in batch]
    assert sorted(ticket.index for ticket in dealt[:count]) == list(range(count))
    assert len(set(dealt)) == len(dealt)  # what fills the last batch is varied anew
    assert {len(batch) for batch in batches} == {share * world}
    assert len(dealt) < count + share * world


@given(COUNTS)
def test_value_processes_together_see_what_one_sees(numbers: tuple[int, int, int, int]) -> None:
    count, share, world, epoch = numbers
    alone = list(TicketSampler(count, share * world, seed=5, size=64, epoch=epoch))
    ranks = [
        TicketSampler(count, share * world, seed=5, size=64, epoch=epoch, rank=r, world=world) for r in range(world)
    ]
    assert [list(chain(*parts)) for parts in zip(*ranks, strict=True)] == alone


@given(COUNTS, st.data())
def test_value_resuming_continues_the_epoch(numbers: tuple[int, int, int, int], data: st.DataObject) -> None:
    count, share, world, epoch = numbers
    sampler = TicketSampler(count, share * world, seed=5, size=64, epoch=epoch)
    whole = list(sampler)
    step = data.draw(st.integers(0, len(whole)))
    sampler.begin(epoch, step=step)
    assert list(sampler) == whole[step:]
    assert len(sampler) == len(whole) - step


def test_value_epochs_are_shuffled_differently() -> None:
    orders = [
        [ticket.index for ticket in next(iter(TicketSampler(32, 32, seed=0, size=64, epoch=e)))] for e in range(3)
    ]
    assert len({tuple(order) for order in orders}) == 3


@pytest.mark.parametrize("cache", [True, False])
@pytest.mark.parametrize("workers", [0, 2])
def test_value_an_unreadable_photograph_gives_way_and_is_named(
    samples: list[Sample], cache: bool, workers: int
) -> None:
    samples[1].path.write_bytes(b"not a picture")
    samples[2].path.unlink()
    photos = TrainingPhotos(samples, 96, PLAIN, seed=0, cache=cache)
    bad = {str(samples[1].path), str(samples[2].path)}
    assert {fault.where for fault in photos.faults} == bad  # known before the first step
    batches = epochs(photos, workers)
    assert {fault.where for batch in batches for fault in batch.faults} == bad
    classes = {int(row[1]) for batch in batches for row in batch.boxes}
    assert classes == {0, 3, 4, 5}
    found = photos.photographs.find(1, 96)
    assert (found.scene.classes.tolist(), found.path) == ([3], samples[3].path)
    assert [Path(fault.where).name for fault in found.faults] == ["1.png", "2.png"]


@pytest.mark.parametrize("cache", [True, False])
def test_error_strict_stops_at_an_unreadable_photograph(samples: list[Sample], cache: bool) -> None:
    samples[4].path.write_bytes(samples[4].path.read_bytes()[:60])
    with pytest.raises(ImageError, match=r"4\.png"):
        TrainingPhotos(samples, 96, PLAIN, seed=0, cache=cache, strict=True)


def test_error_no_photograph_at_all(samples: list[Sample]) -> None:
    with pytest.raises(DataError, match="no photograph to train on"):
        TrainingPhotos([], 96, PLAIN, seed=0)


@pytest.mark.parametrize("cache", [True, False])
def test_error_all_photographs_damaged_behind_their_headers(samples: list[Sample], cache: bool) -> None:
    """Said before there are workers, whose errors would come wrapped in a traceback."""
    for sample in samples:
        sample.path.write_bytes(sample.path.read_bytes()[:60])
    with pytest.raises(DataError, match=r"no photograph.*can be read.*0\.png: is truncated"):
        TrainingPhotos(samples, 96, PLAIN, seed=0, cache=cache)


def test_error_files_that_vanish_later(samples: list[Sample]) -> None:
    photographs = Photographs(samples, 96)
    unlink(samples)
    with pytest.raises(DataError, match=r"can be read.*0\.png: is not there"):
        photographs.find(0, 96)


@pytest.mark.parametrize(("size", "nearest"), [(0, 32), (-32, 32), (100, 96), (415, 416), (31, 32)])
def test_error_sizes_off_the_grid(size: int, nearest: int) -> None:
    with pytest.raises(ConfigError, match=f"multiples of 32. To do: use {nearest}"):
        check_size(size)


@pytest.mark.parametrize(("batch", "world"), [(0, 1), (-4, 1), (5, 2), (1, 2)])
def test_error_batches_that_cannot_be_split(batch: int, world: int) -> None:
    with pytest.raises(ConfigError, match=f"a multiple of {world}"):
        TicketSampler(10, batch, seed=0, size=64, world=world)


def test_value_the_cache_takes_no_more_than_it_may(samples: list[Sample]) -> None:
    room = 96 * 64 * 3 + 96 * 80 * 3  # the first two photographs, whose long side is 96
    enough, less = (Photographs(samples, 96, keep=keep) for keep in (room, room - 1))
    unlink(samples)
    assert [enough.find(i, 96).path for i in (0, 1, 2)] == [samples[i].path for i in (0, 1, 0)]
    assert [less.find(i, 96).path for i in (0, 1)] == [samples[0].path] * 2


def test_value_processes_of_one_machine_share_its_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("LOCAL_WORLD_SIZE", raising=False)
    alone = spare_memory()
    assert 2**26 < alone < 2**46
    monkeypatch.setenv("LOCAL_WORLD_SIZE", "4")
    assert spare_memory() == alone // 4


@pytest.mark.parametrize(
    ("platform", "workers", "kept"), [("darwin", 1, False), ("darwin", 0, True), ("linux", 1, True)]
)
def test_value_no_cache_is_copied_to_workers(
    samples: list[Sample], monkeypatch: pytest.MonkeyPatch, platform: str, workers: int, kept: bool
) -> None:
    monkeypatch.setattr("sys.platform", platform)
    photos = TrainingPhotos(samples, 64, PLAIN, seed=0)
    training_loader(photos, TicketSampler(len(photos), 2, seed=0, size=64), {}, workers)
    samples[0].path.unlink()
    assert (photos.photographs.find(0, 64).path == samples[0].path) is kept
