"""Scoring a predictor over a dataset: every photograph once, the unreadable ones named."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from toy import Light

from tacit.data.sample import Dataset, Sample
from tacit.errors import DataError
from tacit.evaluate import evaluate
from tacit.results import Result

NAMES = ("square",)
SIDE = 96


def scene(folder: Path, number: int) -> Sample:
    """A white square on black, where only the number says."""
    box = np.array([[number, 2 * number, number + 40, 2 * number + 40]], np.float32)
    x0, y0, x1, y1 = box[0].astype(int)
    pixels = np.zeros((SIDE, SIDE, 3), np.uint8)
    pixels[y0:y1, x0:x1] = 255
    path = folder / f"{number}.png"
    Image.fromarray(pixels).save(path)
    area = np.array([1600], np.float32)
    return Sample(path, SIDE, SIDE, number, box, np.zeros(1, np.int64), np.zeros(1, bool), area)


@pytest.fixture
def squares(tmp_path: Path) -> Dataset:
    samples = tuple(scene(tmp_path, number) for number in range(1, 6))
    return Dataset(tmp_path, "COCO", "dev", NAMES, (1,), samples, ())


class FindsWhite:
    """A predictor that answers the box around white pixels, and remembers how many it was given at once."""

    def __init__(self) -> None:
        self.batches: list[int] = []

    def __call__(self, images: list[np.ndarray]) -> list[Result]:
        self.batches.append(len(images))
        return [self.find(image) for image in images]

    def find(self, image: np.ndarray) -> Result:
        rows, columns = np.nonzero(image[..., 0])
        box = [[columns.min(), rows.min(), columns.max() + 1, rows.max() + 1]]
        height, width = image.shape[:2]
        return Result(
            np.array(box, np.float32), np.array([0.9], np.float32), np.zeros(1, np.int64), NAMES, width, height
        )


def test_every_photograph_is_scored_once(squares: Dataset) -> None:
    predictor, steps = FindsWhite(), list[int]()
    done = evaluate(predictor, squares, batch=2, progress=steps.append)
    assert done.scores.ap == pytest.approx(1)
    assert predictor.batches == steps == [2, 2, 1]
    assert (done.images, done.faults) == (5, ())
    assert done.seconds > 0
    assert len(done.metric.coco_json()) == 5


def test_unreadable_photographs_are_named_and_left_out(squares: Dataset) -> None:
    squares.samples[0].path.write_bytes(b"no picture")
    squares.samples[3].path.unlink()
    predictor, steps = FindsWhite(), list[int]()
    done = evaluate(predictor, squares, batch=2, progress=steps.append)
    assert [Path(fault.where).name for fault in done.faults] == ["1.png", "4.png"]
    assert [fault.reason.split()[:2] for fault in done.faults] == [["is", "not"], ["is", "not"]]  # the path once
    assert (done.images, predictor.batches, steps) == (3, [1, 1, 1], [2, 2, 1])
    assert done.scores.ap == pytest.approx(1)


def test_error_when_nothing_can_be_read(squares: Dataset) -> None:
    for sample in squares.samples:
        sample.path.unlink()
    predictor = FindsWhite()
    with pytest.raises(DataError, match=r"no photograph of .* can be scored.*1\.png"):
        evaluate(predictor, squares)
    assert predictor.batches == []


def test_error_when_there_is_nothing(tmp_path: Path) -> None:
    empty = Dataset(tmp_path, "YOLO", "val", NAMES, (0,), (), ())
    with pytest.raises(DataError, match="holds none"):
        evaluate(FindsWhite(), empty)


def test_each_of_two_tasks_of_a_kind_is_scored_by_its_own_answer() -> None:
    nothing = np.zeros(0)
    result = Result(
        boxes=nothing.reshape(0, 4).astype(np.float32), scores=nothing.astype(np.float32),
        classes=nothing.astype(np.int64), names=(), width=4, height=4,
        answers={"dusk": Light(0.2), "dawn": Light(0.8)},
    )  # fmt: skip
    assert result.answer(Light).share == 0.2
    assert result.first("dawn").answer(Light).share == 0.8
    assert list(result.first("dawn").answers) == ["dawn", "dusk"]
    assert list(result.first("noon").answers) == ["dusk", "dawn"]
