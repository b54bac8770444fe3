"""Where the files of a COCO dataset stand: which splits there are, what is beside them, where the photographs are."""

from __future__ import annotations

from pathlib import Path

INSTANCES, KEYPOINTS, CAPTIONS = "instances", "person_keypoints", "captions"
_KINDS = (INSTANCES, KEYPOINTS, CAPTIONS)
_SNIFF = 1 << 16  # bytes


def files_at(path: Path) -> dict[str, Path]:
    """The COCO files at `path` by split; empty when there is none."""
    if path.suffix.lower() == ".json":
        return {_split_of_file(path): path}
    for folder in (path / "annotations", path):
        if found := _main_files(folder):
            return {_split(file): file for file in found}
    return {file.parent.name: file for file in sorted(path.glob("*/_annotations.coco.json"))}


def beside(file: Path, kind: str) -> Path | None:
    """The keypoints or captions of the split of `file`, if they stand beside it."""
    name = _name(file)
    found = file.with_name(f"{kind}_{name}.json" if name else f"{kind}.json")
    return found if found.is_file() and found != file else None


def image_folders(file: Path) -> list[Path]:
    """Where the photographs of a COCO file may be, the likeliest first."""
    here, name = file.parent, _name(file)
    home = here.parent if here.name == "annotations" else here
    named = [home / "images" / name, home / name] if name else []
    return [*named, home / "images", here, home]


def _main_files(folder: Path) -> list[Path]:
    """The instances; or files of names of their own; or keypoints, and captions at last."""
    files = sorted(folder.glob("*.json"))
    instances, *others = ([file for file in files if file.name.startswith(kind)] for kind in _KINDS)
    rest = [file for file in files if not file.name.startswith(_KINDS)]
    known = ([file for file in found if _looks_like_coco(file)] for found in (rest, *others))
    return instances or next((found for found in known if found), [])


def _looks_like_coco(file: Path) -> bool:
    try:
        with file.open("rb") as opened:
            head = opened.read(_SNIFF)
    except OSError:
        return False
    return any(key in head for key in (b'"images"', b'"annotations"', b'"categories"'))


def _name(file: Path) -> str:
    """What a file is called beside its kind."""
    kind = next((kind for kind in _KINDS if file.name.startswith(kind)), "")
    return file.stem.removeprefix(kind).strip("_-")


def _split(file: Path) -> str:
    """`instances_train.json` is "train"; a file named for no split holds all."""
    name = _name(file)
    return "all" if name in {"", "default", "annotations", "_annotations.coco", "annotations.coco"} else name


def _split_of_file(file: Path) -> str:
    """A file that is named by itself is "all", unless it is called for a split, as `instances_dev.json` is."""
    name = _split(file)
    return name if name.startswith(("train", "val", "dev", "test")) else "all"
