"""Teaching the bundled network real photographs: twenty a class are enough for what its trunk can tell apart."""

import shutil
from pathlib import Path

import pytest

from tacit.api import load
from tacit.data.images import load_image
from tacit.data.read import read
from tacit.training.course import Course
from tacit.training.teach import teach
from tacit.weights.files import Weights
from tacit.weights.knowledge_file import MOST, write

CLASSES = ("bus", "bed", "horse")


def by_largest_box(source: Path, folder: Path) -> None:
    """Twenty photographs of each class, those that it fills most."""
    data = read(source, "train")
    filled = {name: list[tuple[float, Path]]() for name in CLASSES}
    for sample in data.samples:
        if len(sample.boxes):
            areas = (sample.boxes[:, 2:] - sample.boxes[:, :2]).prod(axis=1) / (sample.width * sample.height)
            name = data.classes[sample.classes[areas.argmax()]]
            if name in filled:
                filled[name].append((float(areas.max()), sample.path))
    for name, rows in filled.items():
        (folder / name).mkdir(parents=True)
        for _, path in sorted(rows)[-20:]:
            shutil.copy(path, folder / name)


@pytest.mark.slow
def test_twenty_photographs_a_class_improve_top1(data_root: Path, tmp_path: Path) -> None:
    by_largest_box(data_root / "everyday", tmp_path / "data")
    bundled = load()
    course = Course(task="tags", data=tmp_path / "data", name="three", size=256, epochs=8, workers=0)
    taught = teach(Weights(bundled.network, bundled.record), course)
    file = tmp_path / "three.safetensors"
    assert write(taught, file) == file.stat().st_size < MOST
    assert taught.record.after["top1"] >= max(0.7, taught.record.before["top1"] + 0.2)
    more, image = bundled.add(file), load_image(next((tmp_path / "data/bus").iterdir()))
    one, other = bundled.predict(image, confidence=0.01), more.predict(image, confidence=0.01)
    assert len(one)
    assert (one.boxes == other.boxes).all()
    assert (one.scores == other.scores).all()
    assert set(other.answers) - set(one.answers) == {"three"}
