"""Small datasets, written to a folder in the layouts that Tacit reads."""

import json
from pathlib import Path

import numpy as np
from PIL import Image

WIDTH, HEIGHT = 64, 48


def photo(path: Path, size=(WIDTH, HEIGHT), orientation=None):
    """A drawn photograph; with an EXIF orientation if one is given."""
    path.parent.mkdir(parents=True, exist_ok=True)
    pixels = np.random.default_rng(0).integers(0, 255, (size[1], size[0], 3)).astype(np.uint8)
    exif = Image.Exif()
    if orientation:
        exif[0x0112] = orientation
    Image.fromarray(pixels).save(path, exif=exif)
    return path


def coco(root: Path, boxes=((8, 8, 20, 16),), split="", **changes):
    """One photograph `a.png` and its boxes [x, y, w, h]; `changes` replace what the file says of image or boxes."""
    image = {"id": 7, "file_name": "a.png", "width": WIDTH, "height": HEIGHT} | changes.pop("image", {})
    annotations = [
        {"id": i, "image_id": 7, "category_id": 3, "bbox": list(box), "iscrowd": 0} | changes
        for i, box in enumerate(boxes, start=1)
    ]
    categories = [{"id": 9, "name": "dog"}, {"id": 3, "name": "cat"}]
    content = {"images": [image], "annotations": annotations, "categories": categories}
    return coco_text(root, json.dumps(content, indent=1), split)


def coco_beside(
    root: Path, kind: str, annotations, images=({"id": 7, "file_name": "a.png"},), categories=None, split=""
):
    """A file of that kind, such as "captions", beside the instances."""
    file = root / "annotations" / f"{kind}{'_' if split else ''}{split}.json"
    file.parent.mkdir(parents=True, exist_ok=True)
    content = {"images": list(images), "annotations": annotations} | ({"categories": categories} if categories else {})
    file.write_text(json.dumps(content, indent=1))
    if not list(root.rglob("a.png")):
        photo(root / "images" / split / "a.png")
    return root


FACE = [{"id": 3, "name": "cat", "keypoints": ["nose", "left_ear", "right_ear"], "skeleton": [[1, 2], [1, 3], [0, 9]]}]


def coco_face(root: Path, points=(9, 9, 2, 10, 10, 1, 0, 0, 0), **changes):
    """A box, and its keypoints in a file beside it."""
    pose = {"id": 1, "image_id": 7, "category_id": 3, "bbox": [8, 8, 20, 16], "keypoints": list(points)} | changes
    return coco_beside(coco(root), "person_keypoints", [pose], categories=FACE)


def coco_text(root: Path, text: str, split=""):
    file = root / "annotations" / f"instances{'_' if split else ''}{split}.json"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text)
    if not list(root.rglob("a.png")):
        photo(root / "images" / split / "a.png")
    return root


def yolo(root: Path, lines="0 0.5 0.5 0.25 0.5\n", config="names: [cat, dog]\ntrain: images\n"):
    (root / "labels").mkdir(parents=True)
    (root / "data.yaml").write_text(config)
    (root / "labels" / "a.txt").write_text(lines)
    if not (root / "images" / "a.png").exists():
        photo(root / "images" / "a.png")
    return root


def voc_object(box=(8, 8, 28, 24), name="cat"):
    corners = "".join(f"<{k}>{v}</{k}>" for k, v in zip(("xmin", "ymin", "xmax", "ymax"), box, strict=True))
    return f"<object><name>{name}</name>\n<bndbox>{corners}</bndbox></object>\n"


def voc(root: Path, objects=None, name="a", filename="a.png", head="", size=(WIDTH, HEIGHT)):
    (root / "Annotations").mkdir(parents=True, exist_ok=True)
    (root / "Annotations" / f"{name}.xml").write_text(
        f"{head}<annotation>\n<filename>{filename}</filename>\n"
        f"<size><width>{size[0]}</width><height>{size[1]}</height></size>\n"
        f"{voc_object() if objects is None else objects}</annotation>"
    )
    if not (root / "JPEGImages" / f"{name}.png").exists():
        photo(root / "JPEGImages" / f"{name}.png")
    return root
