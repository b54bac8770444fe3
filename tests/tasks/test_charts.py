"""The pictures of a score: written, not blank, readable with many classes."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tacit.tasks.detect import charts
from tacit.tasks.detect.charts import save_confusion_matrix, save_precision_recall
from tacit.tasks.detect.matching import Curves, average_precision


def random_curves(classes: int) -> Curves:
    draw = np.random.default_rng(0)
    guess, labelled = draw.integers(0, classes, 40 * classes), draw.integers(0, classes, 20 * classes)
    correct = draw.random((len(guess), 10)) < 0.3
    return average_precision(correct, draw.random(len(guess), np.float32), guess, labelled)


def colours(path: Path) -> int:
    with Image.open(path) as picture:
        assert picture.format == "PNG"
        assert 400 < picture.width < 2500
        assert 400 < picture.height < 2500
        return len(picture.convert("RGB").getcolors(1 << 24))


@pytest.mark.parametrize("classes", [1, 80])
def test_charts_are_drawn(classes: int, tmp_path: Path) -> None:
    names = [f"class {index}" for index in range(classes)]
    matrix = np.random.default_rng(0).integers(0, 9, (classes + 1, classes + 1))
    save_precision_recall(random_curves(classes), names, tmp_path / "curves.png")
    save_confusion_matrix(matrix, names, tmp_path / "confusion.png")
    assert colours(tmp_path / "curves.png") > 50
    assert colours(tmp_path / "confusion.png") > 20


def test_charts_of_nothing(tmp_path: Path) -> None:
    empty = average_precision(np.zeros((0, 10), bool), np.zeros(0, np.float32), *[np.zeros(0, np.int64)] * 2)
    save_precision_recall(empty, ["cat"], tmp_path / "curves.png")
    save_confusion_matrix(np.zeros((2, 2), np.int64), ["cat"], tmp_path / "confusion.png")
    assert colours(tmp_path / "curves.png") > 1
    assert colours(tmp_path / "confusion.png") > 1


def test_rare_classes_are_put_together() -> None:
    matrix = np.diag(np.arange(1, 32))  # class 29 has the most labels; the last row is nothing
    matrix[29, 0] = 7  # taken for the rarest
    table, rows, columns = charts._most_frequent(matrix, [str(index) for index in range(30)])
    assert table.shape == (21, 22)
    assert rows[0] == "29 (37)"
    assert rows[-1] == "nothing (31)"
    assert columns[-2:] == ["10 others", "nothing"]
    assert table[0].tolist() == [30, *[0] * 19, 7, 0]
    assert table[:-1].sum() == matrix[10:30].sum()
