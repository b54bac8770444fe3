"""The reference's own scoring: which detections are right, AP, precision and recall, and who is taken for whom."""

from pathlib import Path

import numpy as np
import pytest

from tacit.geometry.boxes import xywh_to_xyxy
from tacit.tasks.detect.matching import RECALLS, THRESHOLDS, average_precision, confusion, match

OPS = Path(__file__).parents[1] / "golden/ops"
MATCH, AP = np.load(OPS / "match.npz"), np.load(OPS / "ap.npz")

NO_BOXES, NO_CLASSES = np.zeros((0, 4), np.float32), np.zeros(0, np.int64)
LEFT, RIGHT, FAR = [0, 0, 10, 10], [20, 0, 30, 10], [80, 80, 90, 90]


def boxes(*rows: list[float]) -> np.ndarray:
    return np.array(rows, np.float32).reshape(-1, 4)


def classes(*numbers: int) -> np.ndarray:
    return np.array(numbers, np.int64)


@pytest.mark.parametrize("index", range(5))
def test_match_value_reference(index: int) -> None:
    found, labels = MATCH[f"pred{index}"], MATCH[f"labels{index}"]
    label_boxes = xywh_to_xyxy(labels[:, 1:] * np.tile(MATCH["wh"], 2).astype(np.float32))
    ours = match(found[:, :4], found[:, 5].astype(np.int64), label_boxes, labels[:, 0].astype(np.int64))
    np.testing.assert_array_equal(ours, MATCH[f"correct{index}"])


def test_average_precision_value_reference() -> None:
    curves = average_precision(AP["tp"], AP["conf"], AP["pred_cls"].astype(np.int64), AP["target_cls"].astype(np.int64))
    np.testing.assert_array_equal(curves.classes, AP["classes"])
    np.testing.assert_allclose(curves.ap, AP["ap"], atol=1e-12)
    # The reference repeats these for every threshold, and means IoU 0.5.
    for ours, theirs in ((curves.precision, "p"), (curves.recall, "r"), (curves.f1, "f1")):
        np.testing.assert_allclose(ours, AP[theirs][:, 0], atol=1e-12)


def test_average_precision_does_not_depend_on_order() -> None:
    order = np.random.default_rng(0).permutation(len(AP["conf"]))
    labelled = AP["target_cls"].astype(np.int64)
    ours, shuffled = (
        average_precision(AP["tp"][at], AP["conf"][at], AP["pred_cls"][at].astype(np.int64), labelled)
        for at in (slice(None), order)
    )
    np.testing.assert_array_equal(ours.ap, shuffled.ap)


def test_second_detection_of_a_label_is_wrong() -> None:
    shifted = [1, 0, 11, 10]
    correct = match(boxes(LEFT, shifted, FAR), classes(0, 0, 0), boxes(LEFT, RIGHT), classes(0, 0))
    assert correct[:, 0].tolist() == [True, False, False]
    assert correct[0].all()


def test_overlap_decides_at_each_threshold() -> None:
    (correct,) = match(boxes([0, 0, 10, 7.2]), classes(0), boxes(LEFT), classes(0))
    np.testing.assert_array_equal(correct, THRESHOLDS < 0.72)


def test_another_class_is_wrong() -> None:
    assert not match(boxes(LEFT), classes(1), boxes(LEFT), classes(0)).any()


def test_all_found_is_one_and_nothing_found_is_zero() -> None:
    correct, scores = np.ones((3, 10), bool), np.array([0.9, 0.8, 0.7], np.float32)
    perfect = average_precision(correct, scores, classes(0, 0, 2), classes(0, 0, 1, 2))
    assert perfect.classes.tolist() == [0, 1, 2]
    assert perfect.labels.tolist() == [2, 1, 1]
    np.testing.assert_allclose(perfect.ap[:, 0], [0.995, 0, 0.995])  # as the reference; COCO gives 1
    np.testing.assert_allclose(perfect.envelope.mean(1), [1, 0, 1])
    np.testing.assert_allclose(perfect.f1, [1, 0, 1])


def test_drawn_curve_ends_where_recall_ends() -> None:
    correct, scores = np.ones((1, 10), bool), np.array([0.9], np.float32)
    curves = average_precision(correct, scores, classes(0), classes(0, 0))
    np.testing.assert_array_equal(curves.envelope[0], RECALLS <= 0.5)


def test_shape_of_nothing() -> None:
    assert match(NO_BOXES, NO_CLASSES, boxes(LEFT), classes(0)).shape == (0, 10)
    assert match(boxes(LEFT), classes(0), NO_BOXES, NO_CLASSES).tolist() == [[False] * 10]
    curves = average_precision(np.zeros((0, 10), bool), np.zeros(0, np.float32), NO_CLASSES, NO_CLASSES)
    assert curves.ap.shape == (0, 10)
    assert curves.envelope.shape == (0, 101)


@pytest.mark.parametrize(
    ("found", "found_classes", "labels", "label_classes", "cells"),
    [
        ([LEFT], [0], [LEFT], [0], {(0, 0): 1}),
        ([LEFT], [1], [LEFT], [0], {(0, 1): 1}),
        ([FAR], [1], [LEFT], [0], {(0, 2): 1, (2, 1): 1}),
        ([LEFT, LEFT], [1, 0], [LEFT], [0], {(0, 1): 1, (2, 0): 1}),
        ([[1, 0, 11, 10], LEFT], [1, 0], [LEFT], [0], {(0, 0): 1, (2, 1): 1}),
        ([], [], [LEFT, RIGHT], [0, 1], {(0, 2): 1, (1, 2): 1}),
        ([LEFT], [0], [], [], {(2, 0): 1}),
    ],
    ids=["right", "taken for another", "elsewhere", "the better score first", "the closer first", "missed", "invented"],
)
def test_confusion_value(found: list, found_classes: list, labels: list, label_classes: list, cells: dict) -> None:
    matrix = confusion(boxes(*found), classes(*found_classes), boxes(*labels), classes(*label_classes), class_count=2)
    assert {(int(row), int(column)): int(matrix[row, column]) for row, column in np.argwhere(matrix)} == cells
