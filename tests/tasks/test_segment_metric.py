"""Mask AP: equal to pycocotools, also where masks are labelled in part."""

import io
import json
from contextlib import redirect_stdout
from dataclasses import astuple
from pathlib import Path

import cv2
import numpy as np
import pytest
from pycocotools import mask as reference
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

from tacit.data.masks import MaskLabels
from tacit.data.sample import Dataset, Sample
from tacit.errors import DataError
from tacit.results import Result
from tacit.tasks.segment.answer import Masks
from tacit.tasks.segment.head import Segment
from tacit.tasks.segment.metric import MaskMetric

pytestmark = pytest.mark.filterwarnings("ignore:__array__ impl:DeprecationWarning")  # pycocotools' decode

NAMES, CATEGORIES = ("cat", "person", "cup"), (17, 1, 47)
HEIGHT, WIDTH = 120, 160
LAST_BITS = 1e-12


def polygon(draw):
    centre, radius = draw.uniform([10, 10], [150, 110]), np.exp(draw.uniform(1.2, 4))
    angles = np.sort(draw.uniform(0, 2 * np.pi, 7))
    points = centre + radius * draw.uniform(0.4, 1, (7, 1)) * np.stack([np.cos(angles), np.sin(angles)], 1)
    return points.clip(0, [WIDTH, HEIGHT]).round(2)


def filled(points):
    mask = np.zeros((HEIGHT, WIDTH), np.uint8)
    cv2.fillPoly(mask, [points.round().astype(np.int32)], 1)
    return mask.astype(bool)


def sources_of(points, crowd, kind):
    """The ways in which COCO writes a segmentation."""
    if kind == 0 and not crowd:
        return [points.ravel().tolist()]
    runs = reference.encode(np.asfortranarray(filled(points).astype(np.uint8)))
    return {"size": [HEIGHT, WIDTH], "counts": runs["counts"].decode()}


def sample(number, points, classes, crowd, complete, draw):
    sources = tuple(sources_of(one, hidden, draw.integers(2)) for one, hidden in zip(points, crowd, strict=True))
    boxes = np.array([[*one.min(0), *one.max(0)] for one in points], np.float32).reshape(-1, 4)
    area = np.array([filled(one).sum() for one in points], np.float32)
    outlines = tuple(((one,),) for one in points)
    labels = {MaskLabels: MaskLabels(outlines, complete, sources)}
    path = Path(f"{number}.jpg")
    return Sample(path, WIDTH, HEIGHT, number, boxes, np.array(classes, np.int64), np.array(crowd, bool), area, labels)


def result(masks, scores, classes, names=NAMES):
    crops = [np.asarray(mask, bool) for mask in masks]
    return Result(
        boxes=np.zeros((len(crops), 4), np.float32),
        scores=np.array(scores, np.float32),
        classes=np.array(classes, np.int64),
        names=names,
        width=WIDTH,
        height=HEIGHT,
        answers={"segment": Masks((HEIGHT, WIDTH), crops, np.zeros((len(crops), 2), np.int64))},
    )


def shifted(points, draw):
    return filled((points + draw.normal(0, 1.5, 2) + draw.normal(0, 0.8, points.shape)).clip(0, [WIDTH, HEIGHT]))


def random_case(seed, images=14):
    draw = np.random.default_rng(seed)
    samples, results = [], []
    for number in draw.choice(999, images, replace=False).tolist():
        points = [polygon(draw) for _ in range(draw.integers(0, 7))]
        classes = draw.integers(0, 3, len(points))
        complete = [None, frozenset({1}), frozenset({0, 2}), frozenset()][draw.integers(4)]
        samples.append(sample(number, points, classes, draw.random(len(points)) < 0.2, complete, draw))
        found = [shifted(one, draw) for one in points for _ in range(2)] + [filled(polygon(draw)) for _ in range(9)]
        guess = np.concatenate([np.repeat(classes, 2), draw.integers(0, 3, 9)])
        results.append(result(found, draw.uniform(0, 1, len(found)).round(2), guess))
    return Dataset(Path("scenes"), "COCO", "dev", NAMES, CATEGORIES, tuple(samples), ()), results


def counted(data, results):
    metric = MaskMetric(data)
    for each, answer in zip(data.samples, results, strict=True):
        metric.update(each, answer)
    return metric


def as_coco(data, results, folder):
    """The photographs and the answers as COCO files, without the classes that are not complete; written on its own."""
    annotations, found = [], []
    for each, answer in zip(data.samples, results, strict=True):
        label = each.labels[MaskLabels]
        known = range(3) if label.complete is None else label.complete
        for row, index in enumerate(each.classes.tolist()):
            if index in known:
                annotations.append(
                    {
                        "id": len(annotations) + 1,
                        "image_id": each.id,
                        "category_id": CATEGORIES[index],
                        "segmentation": label.sources[row],
                        "area": float(each.area[row]),
                        "iscrowd": int(each.crowd[row]),
                    }
                )
        for mask, score, index in zip(answer.answers["segment"].crops, answer.scores, answer.classes, strict=True):
            if index in known:
                runs = reference.encode(np.asfortranarray(mask.astype(np.uint8)))
                runs["counts"] = runs["counts"].decode()
                row = {"image_id": each.id, "category_id": CATEGORIES[index], "segmentation": runs}
                found.append({**row, "score": round(float(score), 5)})
    images = [{"id": each.id, "width": WIDTH, "height": HEIGHT} for each in data.samples]
    categories = [{"id": number, "name": name} for number, name in zip(CATEGORIES, NAMES, strict=True)]
    truth = {"info": {}, "images": images, "annotations": annotations, "categories": categories}
    (folder / "truth.json").write_text(json.dumps(truth))
    (folder / "found.json").write_text(json.dumps(found))


@pytest.mark.parametrize("seed", range(4))
def test_figures_equal_pycocotools(seed, tmp_path):
    data, results = random_case(seed)
    as_coco(data, results, tmp_path)
    with redirect_stdout(io.StringIO()):
        truth = COCO(str(tmp_path / "truth.json"))
        judge = COCOeval(truth, truth.loadRes(str(tmp_path / "found.json")), "segm")
        judge.evaluate()
        judge.accumulate()
        judge.summarize()
    ours = counted(data, results).compute()
    theirs = [None if value < 0 else value for value in judge.stats[:9].tolist()]
    assert 0.05 < ours.ap < 0.95
    assert astuple(ours)[:9] == pytest.approx(theirs, abs=LAST_BITS)
    precision = judge.eval["precision"][:, :, 0, 0, 2]
    person = ours.of("person")
    assert [person.ap, person.ap50] == pytest.approx([precision.mean(), precision[0].mean()], abs=LAST_BITS)


def one(points, complete=None, sources=True, masked=True, classes=(1,)):
    """A photograph of one object."""
    made = sample(1, [points], list(classes), [False], complete, np.random.default_rng(0))
    label = made.labels[MaskLabels]
    label = MaskLabels(label.outlines if masked else (None,), complete, label.sources if sources else ())
    labelled = Sample(**{**vars(made), "labels": {MaskLabels: label}})
    return Dataset(Path("scenes"), "COCO", "dev", NAMES, CATEGORIES, (labelled,), ())


SQUARE = np.array([[20.0, 20], [80, 20], [80, 90], [20, 90]])
EXACT = np.zeros((HEIGHT, WIDTH), bool)
EXACT[20:90, 20:80] = True


def test_outlines_are_drawn_where_there_is_no_source():
    figures = counted(one(SQUARE, sources=False), [result([EXACT], [0.9], [1])]).figures()
    assert figures["mask_ap"] == figures["person_mask_ap50"] == pytest.approx(1)
    assert next(iter(figures)) == "mask_ap"
    assert "mask_ap_small" not in figures


def test_what_is_not_complete_is_not_counted():
    data = one(SQUARE, complete=frozenset({0}))
    scores = counted(data, [result([EXACT], [0.9], [1])]).compute()
    assert scores.of("person").labels == 0
    assert scores.ap is None
    assert MaskMetric(one(SQUARE, complete=frozenset())).figures() == {}


def test_a_complete_class_without_an_object_punishes_what_is_found():
    bare = one(SQUARE, complete=frozenset({1})).samples[0]
    data = one(SQUARE, complete=frozenset({1}))
    empty = Sample(
        path=Path("2.jpg"),
        width=WIDTH,
        height=HEIGHT,
        id=2,
        boxes=np.zeros((0, 4), np.float32),
        classes=np.zeros(0, np.int64),
        crowd=np.zeros(0, bool),
        area=np.zeros(0, np.float32),
        labels={MaskLabels: MaskLabels((), frozenset({1}))},
    )
    metric = MaskMetric(data)
    metric.update(bare, result([EXACT], [0.5], [1]))
    metric.update(empty, result([EXACT], [0.9], [1]))
    assert metric.compute().ap50 == pytest.approx(0.5)


def test_an_object_without_a_mask_is_passed_over_like_a_crowd():
    data = one(SQUARE, sources=False, masked=False)
    metric = counted(data, [result([EXACT], [0.9], [1])])
    assert metric.compute().of("person").labels == 0
    assert metric.figures() == {}


def test_a_photograph_without_masks_is_passed_over():
    data = one(SQUARE)
    bare = Sample(**{**vars(data.samples[0]), "labels": {}})
    metric = MaskMetric(data)
    metric.update(bare, result([EXACT], [0.9], [1]))
    assert metric.coco_json() == []


def test_counting_again_replaces():
    data = one(SQUARE)
    metric = counted(data, [result([~EXACT], [0.9], [1])])
    metric.update(data.samples[0], result([EXACT], [0.9], [1]))
    assert len(metric.coco_json()) == 1
    assert metric.figures()["mask_ap"] == pytest.approx(1)


def test_classes_are_matched_by_name():
    metric = counted(one(SQUARE), [result([EXACT, EXACT], [0.9, 0.8], [0, 1], names=("dog", "person"))])
    assert [row["category_id"] for row in metric.coco_json()] == [1]
    with pytest.raises(DataError, match="raccoon"):
        counted(one(SQUARE), [result([EXACT], [0.9], [0], names=("raccoon",))])


def test_tables_and_files(tmp_path):
    data = one(SQUARE)
    metric = Segment.metric(data)
    metric.update(data.samples[0], result([EXACT], [0.9], [1]))
    figures, classes = metric.tables()
    assert figures.rows[0] == ("AP (IoU 0.50 to 0.95)", "100.0")
    assert classes.rows == [("person", "1", "100.0", "100.0", "100.0")]
    assert metric.write(tmp_path) == ["masks.json"]
    written = json.loads((tmp_path / "masks.json").read_text())
    assert (reference.decode(written[0]["segmentation"]).astype(bool) == EXACT).all()
