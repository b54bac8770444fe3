"""OKS figures: equal to pycocotools, and sensible where there is nothing to score."""

import io
import json
from contextlib import redirect_stdout
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

from tacit.data.keypoints import KeypointLabels
from tacit.data.sample import Dataset, Sample
from tacit.errors import DataError
from tacit.results import Result
from tacit.tasks.pose.answer import Poses
from tacit.tasks.pose.body import SIGMAS, Body
from tacit.tasks.pose.metric import FIGURES, PoseMetric, classes_with_points, names_of

CLASSES, CATEGORIES = ("cup", "person", "cat"), (47, 1, 17)
PERSON, CAT = 1, 2
COCO_NAMES = tuple(SIGMAS)
SIZE = 400
LAST_BITS = 1e-12


def labels(points, visible, known, names):
    return KeypointLabels(
        np.array(points, np.float32).reshape(-1, len(names), 2),
        np.array(visible, np.int64).reshape(-1, len(names)),
        np.array(known, bool),
        names,
        (),
    )


def sample(number, boxes, classes, label=None, crowd=None, area=None):
    boxes = np.array(boxes, np.float32).reshape(-1, 4)
    return Sample(
        path=Path(f"{number}.jpg"),
        width=SIZE,
        height=SIZE,
        id=number,
        boxes=boxes,
        classes=np.array(classes, np.int64),
        crowd=np.zeros(len(boxes), bool) if crowd is None else np.array(crowd, bool),
        area=(boxes[:, 2:] - boxes[:, :2]).prod(1) if area is None else np.array(area, np.float32),
        labels={} if label is None else {KeypointLabels: label},
    )


def dataset(*samples):
    return Dataset(Path("scenes"), "COCO", "dev", CLASSES, CATEGORIES, samples, ())


def result(points, scores, classes, names, boxes=None, known=CLASSES):
    points = np.array(points, np.float32).reshape(-1, len(names), 3)
    boxes = np.zeros((len(points), 4), np.float32) if boxes is None else np.array(boxes, np.float32)
    return Result(
        boxes=boxes,
        scores=np.array(scores, np.float32),
        classes=np.array(classes, np.int64),
        names=known,
        width=SIZE,
        height=SIZE,
        answers={"pose": Poses(points, Body(names))},
    )


def random_case(seed, k, images=14):
    """Crowds, unknown objects, unlabelled points, two classes, photographs without labels, near misses and repeats."""
    draw = np.random.default_rng(seed)
    names = COCO_NAMES if k == 17 else tuple(f"point {i}" for i in range(k))
    samples, results = [], []
    for number in draw.choice(9999, images, replace=False).tolist():
        n = int(draw.integers(0, 6))
        corner, side = draw.uniform(0, 300, (n, 2)), np.exp(draw.uniform(2, 5, (n, 2)))
        boxes = np.concatenate([corner, corner + side], 1).astype(np.float32)
        classes = draw.integers(0, 3, n)
        points = (corner[:, None] + draw.random((n, k, 2)) * side[:, None]).astype(np.float32)
        crowd = draw.random(n) < 0.15
        known = (draw.random(n) < 0.8) & (classes > 0) & ~crowd
        visible = draw.integers(0, 3, (n, k)) * known[:, None]
        area = side.prod(1) * draw.uniform(0.3, 1, n)
        label = labels(points * (visible > 0)[..., None], visible, known, names)
        samples.append(sample(number, boxes, classes, label if draw.random() < 0.9 else None, crowd, area))
        away = draw.uniform(0, 0.1, (2 * n, 1, 1)) * np.repeat(side, 2, 0)[:, None]
        near = np.repeat(points, 2, 0) + draw.normal(0, 1, (2 * n, k, 2)) * away
        wild = draw.uniform(0, SIZE, (int(draw.integers(0, 30)), k, 2))
        xy = np.concatenate([near, wild])
        found = np.concatenate([xy, draw.random((len(xy), k, 1))], 2)
        guess = np.concatenate([np.repeat(classes, 2), draw.integers(0, 3, len(wild))])
        found[guess == 0] = (np.nan, np.nan, 0)
        results.append(result(found, draw.random(len(found)).round(1), guess, names))
    return dataset(*samples), results


def counted(data, results):
    metric = PoseMetric(data)
    for each, answer in zip(data.samples, results, strict=True):
        metric.update(each, answer)
    return metric


def as_coco(data):
    """The dataset as a COCO file, written here on its own so that the two ways are compared."""
    rows = []
    for each in data.samples:
        label = each.labels.get(KeypointLabels)
        for i, (x0, y0, x1, y1) in enumerate(each.boxes.astype(float)):
            if label is None or CLASSES[each.classes[i]] == "cup":
                continue
            flat = [v for (x, y), seen in zip(label.points[i], label.visible[i], strict=True) for v in (x, y, seen)]
            rows.append(
                {
                    "id": len(rows) + 1,
                    "image_id": each.id,
                    "category_id": CATEGORIES[each.classes[i]],
                    "bbox": [x0, y0, x1 - x0, y1 - y0],
                    "area": float(each.area[i]),
                    "iscrowd": int(each.crowd[i]),
                    "keypoints": [float(v) for v in flat],
                    "num_keypoints": int((label.visible[i] > 0).sum()),
                }
            )
    images = [{"id": each.id, "width": SIZE, "height": SIZE} for each in data.samples if each.labels]
    categories = [{"id": 1, "name": "person"}, {"id": 17, "name": "cat"}]
    return {"info": {}, "images": images, "annotations": rows, "categories": categories}


def pycocotools_figures(data, metric, folder, k):
    (folder / "truth.json").write_text(json.dumps(as_coco(data)))
    metric.write(folder)
    with redirect_stdout(io.StringIO()):
        truth = COCO(str(folder / "truth.json"))
        judge = COCOeval(truth, truth.loadRes(str(folder / "poses.json")), "keypoints")
        if k != 17:
            judge.params.kpt_oks_sigmas = np.full(k, 0.05)
        judge.evaluate()
        judge.accumulate()
        judge.summarize()
    return judge.stats[[0, 1, 2, 5]].tolist()  # AP, AP50, AP75, AR


@pytest.mark.parametrize("k", [1, 5, 17, 21])
@pytest.mark.parametrize("seed", range(3))
def test_figures_equal_pycocotools(seed, k, tmp_path):
    data, results = random_case(seed, k)
    metric = counted(data, results)
    figures = metric.figures()
    assert tuple(figures) == FIGURES
    assert 0.02 < figures["oks_ap"] < 0.95
    assert list(figures.values()) == pytest.approx(pycocotools_figures(data, metric, tmp_path, k), abs=LAST_BITS)


PERSON_POINTS = np.array([[[20, 30], [40, 30], [30, 80]]], np.float32)
NAMES = ("left_eye", "right_eye", "tail")
ONE = labels(PERSON_POINTS, [[2, 1, 2]], [True], NAMES)


def with_confidence(points, confidence=0.8):
    return np.concatenate([points, np.full((*points.shape[:2], 1), confidence)], axis=2)


@settings(max_examples=20)
@given(st.floats(0.05, 1), st.floats(0.01, 1), st.permutations(range(3)))
def test_right_poses_score_one_whatever_their_confidence_and_order(score, confidence, order):
    data = dataset(sample(1, [[10, 10, 60, 90]], [PERSON], ONE), sample(2, [], [], labels([], [], [], NAMES)))
    points = with_confidence(PERSON_POINTS, confidence)[:, order]
    names = tuple(NAMES[i] for i in order)
    metric = counted(data, [result(points, [score], [PERSON], names), result([], [], [], names)])
    assert metric.figures() == pytest.approx(dict.fromkeys(FIGURES, 1.0))


def test_the_score_is_the_boxs_times_the_mean_confidence():
    data = dataset(sample(1, [[10, 10, 60, 90]], [PERSON], ONE))
    (row,) = counted(data, [result(with_confidence(PERSON_POINTS), [0.5], [PERSON], NAMES)]).coco_json()
    assert row["score"] == pytest.approx(0.4)
    assert row["keypoints"][:3] == [20, 30, pytest.approx(0.8)]
    assert (row["image_id"], row["category_id"]) == (1, 1)


def test_poses_on_persons_that_nobody_labelled_are_passed_over():
    twice = np.concatenate([PERSON_POINTS, PERSON_POINTS + 200])
    label = labels(twice, [[2, 2, 2], [0, 0, 0]], [True, False], NAMES)
    data = dataset(sample(1, [[10, 10, 60, 90], [210, 210, 260, 290]], [PERSON, PERSON], label))
    metric = counted(data, [result(with_confidence(twice), [0.5, 0.9], [PERSON, PERSON], NAMES)])
    assert metric.figures()["oks_ap"] == pytest.approx(1)


def test_poses_where_nobody_is_are_wrong():
    data = dataset(sample(1, [[10, 10, 60, 90]], [PERSON], ONE), sample(2, [], [], labels([], [], [], NAMES)))
    right = result(with_confidence(PERSON_POINTS), [0.5], [PERSON], NAMES)
    wrong = result(with_confidence(PERSON_POINTS), [0.9], [PERSON], NAMES)
    assert counted(data, [right, wrong]).figures()["oks_ap"] == pytest.approx(0.5)


def test_photographs_that_do_not_label_keypoints_are_passed_over():
    data = dataset(sample(1, [[10, 10, 60, 90]], [PERSON], ONE), sample(2, [[10, 10, 60, 90]], [PERSON]))
    answer = result(with_confidence(PERSON_POINTS), [0.5], [PERSON], NAMES)
    metric = counted(data, [answer, answer])
    assert [image["id"] for image in metric.truth()["images"]] == [1]
    assert len(metric.coco_json()) == 1


def test_counting_again_replaces():
    data = dataset(sample(1, [[10, 10, 60, 90]], [PERSON], ONE))
    metric = counted(data, [result([], [], [], NAMES)])
    assert metric.figures()["oks_ap"] == 0
    metric.update(data.samples[0], result(with_confidence(PERSON_POINTS), [0.5], [PERSON], NAMES))
    assert metric.figures()["oks_ap"] == pytest.approx(1)


def test_without_a_label_there_are_no_figures():
    data = dataset(sample(1, [[10, 10, 60, 90]], [PERSON], ONE), sample(2, [], [], labels([], [], [], NAMES)))
    metric = PoseMetric(data)
    metric.update(data.samples[1], result(with_confidence(PERSON_POINTS), [0.5], [PERSON], NAMES))
    assert metric.figures() == {}
    assert metric.tables()[0].rows == [("1", "0", "-", "-", "-", "-")]


def test_tables_are_percents():
    data = dataset(sample(1, [[10, 10, 60, 90]], [PERSON], ONE))
    metric = counted(data, [result(with_confidence(PERSON_POINTS), [0.5], [PERSON], NAMES)])
    assert metric.tables()[0].rows == [("1", "1", "100.0", "100.0", "100.0", "100.0")]


def test_results_without_poses_find_nothing():
    data = dataset(sample(1, [[10, 10, 60, 90]], [PERSON], ONE))
    bare = Result(np.zeros((0, 4), np.float32), np.zeros(0, np.float32), np.zeros(0, np.int64), CLASSES, SIZE, SIZE)
    assert counted(data, [bare]).figures()["oks_ap"] == 0


def test_a_network_without_the_datasets_points_is_refused():
    data = dataset(sample(1, [[10, 10, 60, 90]], [PERSON], ONE))
    with pytest.raises(DataError, match="does not know tail"):
        counted(data, [result([], [], [], COCO_NAMES)])


def test_datasets_have_to_agree_about_the_points():
    first = dataset(sample(1, [[10, 10, 60, 90]], [PERSON], ONE))
    second = dataset(sample(2, [[10, 10, 60, 90]], [CAT], labels([[1, 1]], [2], [True], ("nose",))))
    assert names_of(first, first) == NAMES
    assert classes_with_points(first, second) == ("person", "cat")
    with pytest.raises(DataError, match="one set of keypoints"):
        names_of(first, second)
    with pytest.raises(DataError, match="no photograph labels keypoints"):
        names_of(dataset(sample(1, [], [])))
