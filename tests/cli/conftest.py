"""Weights that know nothing, and a drawn dataset, for every command."""

import json

import pytest
import torch
from PIL import Image

from tacit.weights.files import save
from tacit.weights.record import Record
from tacit.zoo import create

NAMES = ("square", "disc")


@pytest.fixture(scope="module")
def weights(tmp_path_factory):
    torch.manual_seed(0)
    path = tmp_path_factory.mktemp("weights") / "debug.safetensors"
    save(create("debug", len(NAMES)).eval(), Record(model="debug", classes=NAMES, input_size=128), path)
    return str(path)


@pytest.fixture
def dataset(tmp_path, draw):
    """Twelve drawn photographs with COCO labels, in two splits."""
    root = tmp_path / "drawn"
    for split, count, first in (("train", 8, 0), ("val", 4, 8)):
        (root / "images" / split).mkdir(parents=True)
        images, annotations = [], []
        for number in range(first, first + count):
            image, boxes, classes = draw(number)
            Image.fromarray(image).save(root / "images" / split / f"{number}.png")
            images.append({"id": number, "file_name": f"{number}.png", "width": 128, "height": 96})
            for (x0, y0, x1, y1), index in zip(boxes.tolist(), classes.tolist(), strict=True):
                box = [x0, y0, x1 - x0, y1 - y0]
                extra = {"id": len(annotations) + 1, "area": box[2] * box[3], "iscrowd": 0}
                annotations.append({"image_id": number, "category_id": index + 1, "bbox": box, **extra})
        categories = [{"id": index + 1, "name": name} for index, name in enumerate(NAMES)]
        labels = {"images": images, "annotations": annotations, "categories": categories}
        (root / "annotations").mkdir(exist_ok=True)
        (root / "annotations" / f"instances_{split}.json").write_text(json.dumps(labels))
    return root
