"""A small dataset of drawn squares and discs in COCO layout, for runs that take seconds."""

import json
from pathlib import Path

from pictures import draw_scene
from PIL import Image

NAMES = ("square", "disc")


def drawn_dataset(folder: Path, train: int = 24, val: int = 8) -> Path:
    """`train` and `val` photographs of 128 x 96 with three objects each; returns the folder."""
    for split, count, first in (("train", train, 0), ("val", val, 1000)):
        (folder / "images" / split).mkdir(parents=True)
        images, annotations = [], []
        for number in range(first, first + count):
            image, boxes, classes = draw_scene(number)
            name = f"{number:04d}.png"
            Image.fromarray(image).save(folder / "images" / split / name)
            images.append({"id": number, "file_name": name, "width": image.shape[1], "height": image.shape[0]})
            for (x0, y0, x1, y1), label in zip(boxes.tolist(), classes.tolist(), strict=True):
                annotations.append(
                    {
                        "id": len(annotations) + 1,
                        "image_id": number,
                        "category_id": label + 1,
                        "bbox": [x0, y0, x1 - x0, y1 - y0],
                        "area": (x1 - x0) * (y1 - y0),
                        "iscrowd": 0,
                    }
                )
        categories = [{"id": index + 1, "name": name} for index, name in enumerate(NAMES)]
        labels = {"images": images, "annotations": annotations, "categories": categories}
        (folder / "annotations").mkdir(exist_ok=True)
        (folder / "annotations" / f"instances_{split}.json").write_text(json.dumps(labels))
    return folder
