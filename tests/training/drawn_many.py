"""Drawn squares and discs with every kind of label that COCO has: boxes, masks, keypoints, captions."""

import json
from pathlib import Path

import numpy as np
from drawn import NAMES, drawn_dataset

POINTS = ("middle", "left_end", "right_end")
DISC = 1
EVERY_TASK = ("detect", "segment", "pose", "scene", "tags", "embed", "caption")


def drawn_with_everything(folder: Path, train: int = 12, val: int = 4) -> Path:
    """A `drawn_dataset` with masks of everything, the keypoints of discs, and two captions a photograph."""
    drawn_dataset(folder, train, val)
    for split in ("train", "val"):
        instances = read_file(folder, "instances", split)
        for one in instances["annotations"]:
            one["segmentation"] = [outline(one)]
        write_file(folder, "instances", split, instances)
        add_keypoints(folder, split, instances)
        add_captions(folder, split, instances)
    return folder


def captions_alone(folder: Path, train: int = 4, val: int = 2) -> Path:
    """Photographs of which only captions are known."""
    drawn_dataset(folder, train, val)
    for split in ("train", "val"):
        add_captions(folder, split, read_file(folder, "instances", split))
        (folder / "annotations" / f"instances_{split}.json").unlink()
    return folder


def read_file(folder: Path, kind: str, split: str) -> dict:
    return json.loads((folder / "annotations" / f"{kind}_{split}.json").read_text())


def write_file(folder: Path, kind: str, split: str, content: dict) -> None:
    (folder / "annotations" / f"{kind}_{split}.json").write_text(json.dumps(content))


def outline(annotation: dict) -> list[float]:
    """A square's corners, or as many points on a circle as one can see."""
    x, y, width, height = annotation["bbox"]
    if annotation["category_id"] != DISC + 1:
        return [x, y, x + width, y, x + width, y + height, x, y + height]
    turns = np.linspace(0, 2 * np.pi, 24, endpoint=False)
    ring = np.stack([x + width / 2 * (1 + np.cos(turns)), y + height / 2 * (1 + np.sin(turns))], axis=1)
    return ring.ravel().tolist()


def add_keypoints(folder: Path, split: str, instances: dict) -> None:
    discs = [one for one in instances["annotations"] if one["category_id"] == DISC + 1]
    category = {"id": DISC + 1, "name": NAMES[DISC], "keypoints": list(POINTS), "skeleton": [[1, 2], [1, 3]]}
    annotations = [{**one, "keypoints": _points(one), "num_keypoints": len(POINTS)} for one in discs]
    content = {"images": instances["images"], "annotations": annotations, "categories": [category]}
    write_file(folder, "person_keypoints", split, content)


def _points(annotation: dict) -> list[float]:
    x, y, width, height = annotation["bbox"]
    middle = y + height / 2
    return [x + width / 2, middle, 2, x, middle, 2, x + width, middle, 1]


def add_captions(folder: Path, split: str, instances: dict) -> None:
    annotations = []
    for image in instances["images"]:
        names = [NAMES[one["category_id"] - 1] for one in instances["annotations"] if one["image_id"] == image["id"]]
        for caption in (f"A picture of {' and '.join(names)}.", f"{len(names)} things in the dark"):
            annotations.append({"id": len(annotations) + 1, "image_id": image["id"], "caption": caption})
    write_file(folder, "captions", split, {"images": instances["images"], "annotations": annotations})
