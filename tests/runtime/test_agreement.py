"""How far answers are apart: nothing for the same, a named gap for each kind of difference."""

import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from tacit.results import Result
from tacit.runtime.agreement import LIMITS, Gap, gaps, same_objects, too_far
from tacit.runtime.engine import Precision
from tacit.runtime.probe import Seen
from tacit.tasks.caption.answer import Caption
from tacit.tasks.embed.answer import Vectors
from tacit.tasks.pose.answer import Poses
from tacit.tasks.pose.body import Body
from tacit.tasks.scene.answer import SceneMap
from tacit.tasks.segment.answer import Masks
from tacit.tasks.tags.answer import Tags

BOXES = np.array([[0, 0, 10, 10], [20, 20, 40, 40]], np.float32)
BODY = Body(("head", "foot"), ((0, 1),), (), ("cat",))
POINTS = np.array([[[5, 5, 0.9], [8, 8, 0.9]], [[30, 30, 0.9], [0, 0, 0.1]]], np.float32)


def masks(*sides: int) -> Masks:
    return Masks((50, 50), [np.ones((10, side), bool) for side in sides], np.array([[0, 0], [20, 20]]))


ANSWERS = {
    "segment": masks(10, 10),
    "pose": Poses(POINTS, BODY),
    "embed": Vectors(np.eye(2, 4, dtype=np.float32)),
    "scene": SceneMap(np.zeros((50, 50), np.uint8), ("other", "grass")),
    "tags": Tags(("a", "b"), np.array([0.9, 0.2], np.float32)),
    "caption": Caption("A cat on grass.", 0.5),
}
RESULT = Result(
    boxes=BOXES,
    scores=np.array([0.9, 0.25], np.float32),
    classes=np.array([0, 1]),
    names=("cat", "dog"),
    width=50,
    height=50,
    answers=ANSWERS,
)
RAW = {"detect": {"rows": torch.ones(1, 4, 7)}}


def of(result: Result, raw: dict = RAW) -> Seen:
    return Seen((raw,), (result,))


def answering(task: str, answer: object) -> Result:
    return replace(RESULT, answers={**ANSWERS, task: answer})


def test_value_nothing_lies_between_the_same():
    found = gaps(of(RESULT), of(RESULT))
    assert set(found) == set(Gap)
    assert found == pytest.approx(dict.fromkeys(Gap, 0.0), abs=1e-6)
    for precision in Precision:
        assert not too_far(found, precision)


@pytest.mark.parametrize(
    ("other", "gap", "value"),
    [
        (replace(RESULT, boxes=BOXES + np.array([[0, 0, 0, 2.5], [0, 0, 0, 0]], np.float32)), Gap.BOXES, 0.1),
        (replace(RESULT, scores=np.array([0.8, 0.25], np.float32)), Gap.SCORES, 0.05),
        (replace(RESULT, classes=np.array([1, 1])), Gap.LOST, 1.0),
        (answering("segment", masks(10, 5)), Gap.MASKS, 0.25),
        (answering("pose", Poses(POINTS + np.float32([[[3, 4, 0]], [[0, 0, 0]]]), BODY)), Gap.POINTS, 1 / 3),
        (answering("embed", Vectors(np.eye(2, 4, 1, dtype=np.float32))), Gap.VECTORS, 1.0),
        (answering("scene", SceneMap(np.tri(50, k=-1, dtype=np.uint8), ("other", "grass"))), Gap.SCENE, 0.49),
        (answering("tags", Tags(("b", "a"), np.array([0.5, 0.8], np.float32))), Gap.TAGS, 0.3),
        (answering("caption", Caption("A cat on snow.", 0.5)), Gap.WORDS, 0.25),
    ],
    ids=lambda given: given.value if isinstance(given, Gap) else "",
)
def test_value_each_gap(other: Result, gap: Gap, value: float):
    found = gaps(of(RESULT), of(other))
    assert found[gap] == pytest.approx(value, rel=1e-3)
    assert gap in too_far(found, Precision.FP32)


def test_value_raw_is_the_largest_share_of_a_norm():
    other = {"detect": {"rows": RAW["detect"]["rows"] * 1.02}}
    assert gaps(of(RESULT), of(RESULT, other))[Gap.RAW] == pytest.approx(0.02, rel=1e-3)


def test_value_what_is_no_number_is_too_far():
    other = {"detect": {"rows": RAW["detect"]["rows"] * float("nan")}}
    for precision in Precision:
        assert Gap.RAW in too_far(gaps(of(RESULT), of(RESULT, other)), precision)


def test_value_tasks_that_choose_are_compared_as_they_answer():
    raw = {"caption": {"tokens": torch.zeros(1, 4, dtype=torch.long), "chances": torch.zeros(1)}}
    other = {"caption": {"tokens": torch.ones(1, 4, dtype=torch.long), "chances": torch.ones(1)}}
    assert Gap.RAW not in gaps(of(RESULT, raw), of(RESULT, other))


def test_value_each_box_has_one_counterpart_at_most():
    twice = replace(RESULT, boxes=BOXES[[0, 0]], classes=np.array([0, 0]), answers={})
    assert same_objects(twice, RESULT).tolist() == [[0, 0]]
    nothing = replace(RESULT, boxes=BOXES[:0], scores=RESULT.scores[:0], classes=RESULT.classes[:0])
    assert same_objects(RESULT, nothing).shape == (0, 2)


def test_value_limits_grow_with_the_rounding():
    assert list(LIMITS) == [Precision.FP32, Precision.BF16, Precision.INT8]
    for gap in Gap:
        exact, half, quarter = (limits[gap] for limits in LIMITS.values())
        assert exact < half < quarter


def test_the_page_shows_these_limits():
    page = (Path(__file__).parents[2] / "docs/learn/engines.md").read_text(encoding="utf-8")
    table = {
        match[1]: match[2].split(" | ") for match in re.finditer(r"^\| `(\w+)`: .*? \| (.*) \|$", page, re.MULTILINE)
    }
    assert table == {gap.value: [f"{limits[gap]:g}" for limits in LIMITS.values()] for gap in Gap}
