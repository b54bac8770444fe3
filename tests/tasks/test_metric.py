"""The figures of `tacit val`: equal to pycocotools, and sensible where there is nothing to score."""

import io
import json
from contextlib import redirect_stdout
from dataclasses import astuple
from pathlib import Path

import numpy as np
import pytest
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

from tacit.data.sample import Dataset, Sample
from tacit.errors import DataError
from tacit.results import Result
from tacit.tasks.detect.metric import DetectionMetric

NAMES = ("cat", "person", "cup")
CATEGORIES = (17, 1, 47)  # not in order, as some sources have it
SIZE = 400
LAST_BITS = 1e-15  # faster-coco-eval rounds some precisions the other way: 2e-16


def sample(number: int, boxes: list, classes: list, crowd: list | None = None, area: list | None = None) -> Sample:
    corners = np.array(boxes, np.float32).reshape(-1, 4)
    measured = (corners[:, 2:] - corners[:, :2]).prod(1)
    return Sample(
        path=Path(f"{number}.jpg"),
        width=SIZE,
        height=SIZE,
        id=number,
        boxes=corners,
        classes=np.array(classes, np.int64),
        crowd=np.zeros(len(corners), bool) if crowd is None else np.array(crowd, bool),
        area=measured if area is None else np.array(area, np.float32),
    )


def dataset(*samples: Sample) -> Dataset:
    return Dataset(Path("scenes"), "COCO", "dev", NAMES, CATEGORIES, samples, ())


def result(boxes: list, scores: list, classes: list, names: tuple[str, ...] = NAMES) -> Result:
    return Result(
        boxes=np.array(boxes, np.float32).reshape(-1, 4),
        scores=np.array(scores, np.float32),
        classes=np.array(classes, np.int64),
        names=names,
        width=SIZE,
        height=SIZE,
    )


def random_boxes(draw: np.random.Generator, count: int) -> np.ndarray:
    corner, side = draw.uniform(0, 300, (count, 2)), np.exp(draw.uniform(1.5, 5.3, (count, 2)))
    return np.concatenate([corner, corner + side], 1).astype(np.float32)


def random_case(seed: int, images: int = 24) -> tuple[Dataset, list[Result]]:
    """Crowds, areas smaller than the box, photographs without labels or detections, near misses and repeats."""
    draw = np.random.default_rng(seed)
    samples, results = [], []
    for number in draw.choice(9999, images, replace=False).tolist():
        truth = random_boxes(draw, draw.integers(0, 9))
        classes = draw.integers(0, 3, len(truth))
        area = (truth[:, 2:] - truth[:, :2]).prod(1) * draw.uniform(0.3, 1, len(truth))
        samples.append(sample(number, truth.tolist(), classes, draw.random(len(truth)) < 0.2, area))
        twice = np.repeat(truth, 2, 0)
        size = np.tile(twice[:, 2:] - twice[:, :2], 2)
        near = twice + size * draw.normal(0, 0.07, size.shape).astype(np.float32)
        found = np.concatenate([near, random_boxes(draw, draw.integers(0, 130))])
        guess = np.concatenate([np.repeat(classes, 2), draw.integers(0, 3, len(found) - len(near))])
        sure = np.concatenate([draw.uniform(0.3, 1, len(near)), draw.uniform(0, 0.6, len(found) - len(near))])
        results.append(result(found.tolist(), sure.round(2).tolist(), guess.tolist()))  # some scores are equal
    return dataset(*samples), results


def counted(data: Dataset, results: list[Result]) -> DetectionMetric:
    metric = DetectionMetric(data)
    for each, answer in zip(data.samples, results, strict=True):
        metric.update(each, answer)
    return metric


def as_coco(data: Dataset) -> dict:
    """The dataset as a COCO file, written here on its own so that the two ways are compared."""
    annotations = [
        {
            "image_id": each.id,
            "category_id": data.category_ids[each.classes[row]],
            "bbox": [float(x0), float(y0), float(x1) - float(x0), float(y1) - float(y0)],
            "area": float(each.area[row]),
            "iscrowd": int(each.crowd[row]),
        }
        for each in data.samples
        for row, (x0, y0, x1, y1) in enumerate(each.boxes)
    ]
    return {
        "info": {},
        "images": [{"id": each.id, "width": SIZE, "height": SIZE} for each in data.samples],
        "annotations": [{"id": number, **row} for number, row in enumerate(annotations, 1)],
        "categories": [{"id": CATEGORIES[index], "name": NAMES[index]} for index in range(3)],
    }


def pycocotools_figures(data: Dataset, metric: DetectionMetric, folder: Path) -> COCOeval:
    (folder / "truth.json").write_text(json.dumps(as_coco(data)))
    (folder / "found.json").write_text(json.dumps(metric.coco_json()))
    with redirect_stdout(io.StringIO()):
        truth = COCO(str(folder / "truth.json"))
        judge = COCOeval(truth, truth.loadRes(str(folder / "found.json")), "bbox")
        judge.evaluate()
        judge.accumulate()
        judge.summarize()
    return judge


@pytest.mark.parametrize("seed", range(4))
def test_figures_equal_pycocotools(seed: int, tmp_path: Path) -> None:
    data, results = random_case(seed)
    metric = counted(data, results)
    judge = pycocotools_figures(data, metric, tmp_path)
    ours = metric.compute()
    assert 0.05 < ours.ap < 0.95
    assert astuple(ours)[:9] == pytest.approx(tuple(judge.stats[:9]), abs=LAST_BITS)
    for place, category in enumerate(sorted(CATEGORIES)):
        scores = ours.of(NAMES[CATEGORIES.index(category)])
        precision, recall = judge.eval["precision"][:, :, place, 0, 2], judge.eval["recall"][:, place, 0, 2]
        figures = [table[table > -1].mean() for table in (precision, precision[0], recall)]
        assert [scores.ap, scores.ap50, scores.ar] == pytest.approx(figures, abs=LAST_BITS)


def test_labels_are_counted_without_crowds() -> None:
    data = dataset(sample(1, [[0, 0, 50, 50], [0, 0, 90, 90]], [1, 1], crowd=[False, True]))
    scores = counted(data, [result([], [], [])]).compute()
    assert [each.labels for each in scores.per_class] == [0, 1, 0]


def test_perfect_detections_score_one(capfd: pytest.CaptureFixture) -> None:
    data = dataset(sample(1, [[10, 10, 60, 60], [100, 100, 300, 300]], [0, 1]), sample(2, [], []))
    metric = counted(data, [result([[10, 10, 60, 60], [100, 100, 300, 300]], [0.9, 0.8], [0, 1]), result([], [], [])])
    scores = metric.compute()
    assert scores.ap == scores.ap_medium == scores.ap_large == pytest.approx(1)
    assert scores.ap_small is None
    assert scores.of("cup").ap is None
    assert scores.of("cup").labels == 0
    assert capfd.readouterr() == ("", "")


def test_no_detections_score_zero() -> None:
    scores = counted(dataset(sample(1, [[0, 0, 50, 50]], [0])), [result([], [], [])]).compute()
    assert (scores.ap, scores.ar100, scores.of("cat").ap) == (0, 0, 0)


@pytest.mark.parametrize("found", [[], [[0, 0, 9, 9]]], ids=["no detections", "a detection"])
def test_no_labels_give_no_figures(found: list) -> None:
    metric = counted(dataset(sample(1, [], [])), [result(found, [0.5] * len(found), [0] * len(found))])
    assert all(figure is None for figure in astuple(metric.compute())[:9])
    assert metric.curves().ap.shape == (0, 10)


def test_nothing_counted_gives_no_figures() -> None:
    metric = DetectionMetric(dataset(sample(1, [[0, 0, 50, 50]], [0])))
    assert metric.compute().ap is None
    assert metric.coco_json() == []
    assert metric.confusion_matrix().sum() == 0


def test_only_counted_photographs_are_scored() -> None:
    seen, unseen = sample(1, [[0, 0, 50, 50]], [0]), sample(2, [[0, 0, 50, 50]], [0])
    metric = DetectionMetric(dataset(seen, unseen))
    metric.update(seen, result([[0, 0, 50, 50]], [0.9], [0]))
    assert metric.compute().ap == pytest.approx(1)


def test_counting_a_photograph_again_replaces_it() -> None:
    data = dataset(sample(1, [[0, 0, 50, 50]], [0]))
    metric = counted(data, [result([[90, 90, 99, 99]], [0.9], [0])])
    metric.update(data.samples[0], result([[0, 0, 50, 50]], [0.9], [0]))
    assert len(metric.coco_json()) == 1
    assert metric.compute().ap == pytest.approx(1)


def test_coco_json_rows() -> None:
    metric = counted(dataset(sample(7, [], [])), [result([[1.23456, 2, 11.23456, 4.5]], [0.1234567], [2])])
    assert metric.coco_json() == [
        {"image_id": 7, "category_id": 47, "bbox": [1.235, 2.0, 10.0, 2.5], "score": 0.12346},
    ]


def test_classes_are_matched_by_name() -> None:
    data = dataset(sample(1, [[0, 0, 50, 50]], [1]))
    other = ("dog", "person")
    metric = counted(data, [result([[0, 0, 50, 50], [0, 0, 50, 50]], [0.8, 0.9], [1, 0], names=other)])
    assert [row["category_id"] for row in metric.coco_json()] == [1]
    assert metric.compute().of("person").ap == pytest.approx(1)


def test_error_when_no_class_is_shared() -> None:
    data = dataset(sample(1, [], []))
    with pytest.raises(DataError, match=r"raccoon.*cat, person, cup"):
        DetectionMetric(data).update(data.samples[0], result([], [], [], names=("raccoon",)))


def test_curves_and_confusion_leave_crowds_out() -> None:
    crowd, single = [0, 0, 200, 200], [300, 300, 350, 350]
    data = dataset(sample(1, [crowd, single], [1, 1], crowd=[True, False]))
    inside, beside, found = [20, 20, 60, 60], [380, 0, 399, 60], [301, 300, 350, 350]
    answer = result([found, inside, inside, beside], [0.9, 0.8, 0.7, 0.6], [1, 1, 0, 1])
    metric = counted(data, [answer])
    matrix = metric.confusion_matrix()
    assert matrix[1].tolist() == [0, 1, 0, 0]  # the single person is found; the crowd is no row
    assert matrix[3].tolist() == [1, 1, 0, 0]  # a cat in the crowd and a person beside it are wrong, a person in it not
    assert metric.curves().labels.tolist() == [1]
    assert metric.curves().precision[0] == pytest.approx(0.5)
