"""A dataset from a path: the layout is recognised by itself, and there is always something to train and to choose on.

A source without splits has one, named "all", and so has one with nothing but a train split. Asked for "train" or "val"
of it, `read` holds out a fifth of the photographs, picked by a hash of their file names: the same ones every time, on
every machine.
"""

from __future__ import annotations

import zlib
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

from tacit.data import coco, image_folder, mot, reid, tag_table, voc, yolo
from tacit.data.images import load_image
from tacit.data.intake import Splits
from tacit.data.sample import Dataset, Fault, Sample
from tacit.errors import DataError, ImageError

WHOLE = "all"
HOLD_OUT = 5  # one photograph in so many
CHOOSE_ON = ("val", "dev", "test")  # beginnings of a split's name, the best first
LAYOUTS = (coco.splits, yolo.splits, voc.splits, mot.splits, reid.splits, tag_table.splits, image_folder.splits)
_LOOKED_FOR = (
    "a COCO .json or a folder with annotations/*.json; a YOLO data.yaml or a folder that holds one; "
    "VOC .xml files in annotations/ or Annotations/; films of MOTChallenge (gt/gt.txt); individuals, in numbered files "
    "(0002_c1s1_000451_03.jpg) or in a folder called identities; "
    "a .csv of files and labels; folders of photographs, one a class"
)


def available_splits(path: Path) -> tuple[str, ...]:
    """The splits that the source itself has; `("all",)` when it makes none. Raises DataError."""
    return tuple(_splits(path))


def training_splits(path: Path) -> tuple[str, str]:
    """(the split to train on, the split to choose on), as `read` takes them.

    "train" or the first name that begins so; then the first that begins with val or dev, else with test. A source
    with the one split "all" gives its hold-out. Raises DataError when one of the two is missing.
    """
    names = available_splits(path)
    if names == (WHOLE,):
        return "train", "val"
    train, val = _first(names, ("train",)), _first(names, CHOOSE_ON)
    if train is None or val is None:
        raise DataError(
            f"{path} has the splits {', '.join(names)}: nothing to {'choose' if train else 'train'} on",
            allowed="a train split and a val, dev or test split, or no splits at all",
            fix="add the split, or name a label file that is called for no split: a fifth of it is then held out",
        )
    return train, val


def scoring_split(path: Path) -> str:
    """The split to score on, as `read` takes it: never one that `training_splits` would train on.

    Of a source without splits, or with a train split alone, the hold-out; one split of another name is scored whole;
    of several, the one that training chooses on. Raises DataError when there is none of these.
    """
    names = available_splits(path)
    if names == (WHOLE,):
        return "val"
    split = names[0] if len(names) == 1 else _first(names, CHOOSE_ON)
    if split is None:
        raise DataError(f"{path} has the splits {', '.join(names)}", fix="say which to score on: --split NAME")
    return split


def is_hold_out(path: Path, split: str) -> bool:
    """Whether `read` would give a fifth of the source for that split, since the source itself has none."""
    return split == "val" and available_splits(path) == (WHOLE,)


def read(path: Path, split: str | None = None, *, min_score: float = 0.0, verify: bool = False) -> Dataset:
    """The photographs and labels of one split at `path`.

    `split` may be left out where there is only one. Boxes that carry a teacher's `score` under `min_score` are left
    out. `verify` decodes every photograph, so that damage behind the header is found too. Raises DataError.
    """
    found = _splits(path)
    wanted = next(iter(found)) if split is None and len(found) == 1 else split
    if wanted in found:
        dataset = found[wanted](min_score)
    elif tuple(found) == (WHOLE,) and wanted in {"train", "val"}:
        dataset = _held_out(found[WHOLE](min_score), wanted)
    else:
        names = [*found, "train", "val"] if tuple(found) == (WHOLE,) else list(found)
        raise DataError(f"{path} has no split {split!r}", allowed=", ".join(names), fix="name one of these")
    dataset = verify_images(dataset) if verify else dataset
    if not dataset.samples:
        raise DataError(
            f"{path} ({dataset.split}) has no photograph that can be used{_listed(dataset.faults)}",
            allowed="at least one", fix="check where the photographs are",
        )  # fmt: skip
    return dataset


def verify_images(dataset: Dataset) -> Dataset:
    """The dataset without the photographs that do not decode to the end; each is noted as a fault."""
    with ThreadPoolExecutor() as pool:  # Pillow decodes outside the interpreter's lock
        damage = list(pool.map(_damage, dataset.samples))
    sound = tuple(sample for sample, fault in zip(dataset.samples, damage, strict=True) if fault is None)
    return replace(dataset, samples=sound, faults=(*dataset.faults, *(fault for fault in damage if fault)))


def require_clean(dataset: Dataset, show: int = 5) -> None:
    """Raises DataError with the first `show` faults, if there is any."""
    if dataset.faults:
        raise DataError(
            f"{dataset.root} ({dataset.split}) has {len(dataset.faults)} faults{_listed(dataset.faults, show)}",
            allowed="none in strict mode",
            fix="repair them, or go on without the faulty ones by leaving strict mode",
        )


def _listed(faults: tuple[Fault, ...], show: int = 5) -> str:
    """The first faults, one a line, to go behind a sentence."""
    lines = [f"  {fault}" for fault in faults[:show]]
    if len(faults) > show:
        lines.append(f"  and {len(faults) - show} more")
    return "".join(f"\n{line}" for line in lines)


def _splits(path: Path) -> Splits:
    if not path.exists():
        raise DataError(f"{path} is not there", allowed=_LOOKED_FOR, fix="check the path")
    for layout in LAYOUTS:
        if found := layout(path):
            lone = next(iter(found)) if len(found) == 1 else ""
            return {WHOLE: found[lone]} if lone.startswith("train") else found
    raise DataError(f"{path} is no dataset that Tacit knows", allowed=_LOOKED_FOR, fix="name its label file or folder")


def _first(names: tuple[str, ...], beginnings: tuple[str, ...]) -> str | None:
    ordered = [name for start in beginnings for name in sorted(names, key=len) if name.startswith(start)]
    return ordered[0] if ordered else None


def _held_out(dataset: Dataset, part: str) -> Dataset:
    """`part` "val" is the fifth of the samples with the least hashes, "train" is the rest; both keep all the faults."""
    by_hash = sorted(dataset.samples, key=_hash)
    held = {sample.id for sample in by_hash[: max(1, len(by_hash) // HOLD_OUT)]}
    samples = tuple(sample for sample in dataset.samples if (sample.id in held) == (part == "val"))
    return replace(dataset, split=part, samples=samples)


def _hash(sample: Sample) -> tuple[int, int]:
    name = sample.path.name.encode(errors="surrogateescape")  # a file name need not be text
    return zlib.crc32(name), sample.id


def _damage(sample: Sample) -> Fault | None:
    try:
        load_image(sample.path)
    except ImageError as error:
        return Fault.of(sample.path, error)
    return None
