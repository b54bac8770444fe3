"""Which photographs of a dataset have a map, and where it comes from."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import cache, partial
from pathlib import Path

from tacit.data.images import image_header
from tacit.data.map_files import PictureMap, listed_meanings, map_beside, panoptic_maps
from tacit.data.maps import OTHER, MapLabels, MapSource, Meaning
from tacit.data.mask_maps import MaskMap
from tacit.data.masks import MaskLabels
from tacit.data.sample import Dataset, Fault, Sample
from tacit.errors import ImageError


def with_maps(dataset: Dataset) -> Dataset:
    """The dataset with `MapLabels`: from its panoptic file, else from the maps beside its photographs, else from their
    masks where those are complete. Nothing but headers is read now.

    A map of another size than its photograph is left out and counted. Raises DataError for a file that is none.
    """
    panoptic, faults = panoptic_maps(dataset)
    meanings = cache(partial(listed_meanings, classes=dataset.classes))
    samples = list[Sample]()
    for sample in dataset.samples:
        file = panoptic.get(sample.path.stem) or _beside(sample, meanings)
        fault = None if file is None else _wrong_size(file.path, sample)
        if fault is not None:
            faults.append(fault)
            file = None
        source = file or _from_masks(sample, dataset.classes)
        samples.append(sample if source is None else _with(sample, source))
    new = [fault for fault in faults if fault not in dataset.faults]
    return replace(dataset, samples=tuple(samples), faults=(*dataset.faults, *new))


def map_names(datasets: Sequence[Dataset]) -> tuple[str, ...]:
    """Every class that the maps of these datasets teach: in the order of the datasets' classes, then the others."""
    labels = [sample.label(MapLabels) for dataset in datasets for sample in dataset.samples]
    found = dict.fromkeys(name for label in labels if label is not None for name in label.source.names if name != OTHER)
    ordered = dict.fromkeys(name for dataset in datasets for name in dataset.classes if name in found)
    return tuple({**ordered, **found})


def _beside(sample: Sample, meanings: Callable[[Path], tuple[Meaning, ...]]) -> PictureMap | None:
    picture = map_beside(sample.path)
    if not picture.is_file():
        return None
    return PictureMap(picture, meanings(next(parent for parent in picture.parents if parent.name == "maps")))


def _from_masks(sample: Sample, classes: tuple[str, ...]) -> MaskMap | None:
    masks = sample.label(MaskLabels)
    return None if masks is None or masks.complete == frozenset() else MaskMap(sample, masks, classes)


def _wrong_size(picture: Path, sample: Sample) -> Fault | None:
    try:
        header = image_header(picture)
    except ImageError as error:
        return Fault.of(picture, error, "label")
    if (header.width, header.height) == (sample.width, sample.height):
        return None
    sizes = f"is {header.width} x {header.height}, its photograph {sample.width} x {sample.height}"
    return Fault(str(picture), sizes, "label")


def _with(sample: Sample, source: MapSource) -> Sample:
    return replace(sample, labels={**sample.labels, MapLabels: MapLabels(source)})
