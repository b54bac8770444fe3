"""The pose task: targets, raw maps, loss, decoding, folding, answers."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from tacit.data.keypoints import KeypointLabels
from tacit.data.sample import Dataset, Sample, Scene
from tacit.errors import DataError, WeightsError
from tacit.geometry.letterbox import plan_letterbox
from tacit.nn.fold import fold
from tacit.nn.knowledge import Knowledge
from tacit.nn.uses import Modelling, Operator, Uses
from tacit.tasks.bend import uses_to_json
from tacit.tasks.cells import centres
from tacit.tasks.detect.anchors import ANCHORS_640, ANCHORS_1280
from tacit.tasks.detect.answer import Boxes
from tacit.tasks.pose.body import Body
from tacit.tasks.pose.head import Pose
from tacit.tasks.task import Pyramid, Sight
from tacit.thresholds import Thresholds

NAMES = ("left_hand", "right_hand", "head")
BODY = Body(NAMES, ((0, 2), (1, 2)), ((0, 1),), ("person",))
PYRAMID = Pyramid((16, 16, 24), (8, 16, 32), ANCHORS_640)
SIDE = 128


def features(batch=1, pyramid=PYRAMID, height=SIDE, width=SIDE):
    return [
        torch.randn(batch, c, height // s, width // s) for c, s in zip(pyramid.channels, pyramid.strides, strict=True)
    ]


def label(points, visible, known=None, names=NAMES):
    points = np.array(points, np.float32).reshape(-1, len(names), 2)
    visible = np.array(visible, np.int64).reshape(-1, len(names))
    known = np.ones(len(points), bool) if known is None else np.array(known, bool)
    return KeypointLabels(points, visible, known, names, ((0, 2),))


def scene(boxes, labels=None):
    boxes = np.array(boxes, np.float32).reshape(-1, 4)
    marked = {} if labels is None else {KeypointLabels: labels}
    return Scene(np.zeros((SIDE, SIDE, 3), np.uint8), boxes, np.zeros(len(boxes), np.int64), marked)


ONE = scene([[32, 16, 96, 112]], label([[40, 60], [90, 62], [64, 30]], [2, 1, 2]))


@pytest.fixture
def task():
    torch.manual_seed(0)
    return Pose(PYRAMID, BODY)


@pytest.mark.parametrize("pyramid", [PYRAMID, Pyramid((32, 48, 64, 80), (8, 16, 32, 64), ANCHORS_1280)])
def test_one_row_a_cell_on_any_pyramid(pyramid):
    task = Pose(pyramid, BODY)
    raw = task(features(2, pyramid, 128, 64))
    assert [tuple(level.shape) for level in raw] == [(2, 9, 128 // s, 64 // s) for s in pyramid.strides]
    found = task.decode(raw)["keypoints"]
    assert found.shape == (2, sum(128 * 64 // s**2 for s in pyramid.strides), 3, 3)
    assert ((found[..., 2] > 0) & (found[..., 2] < 1)).all()


def test_raw_zeros_are_the_centres_of_the_cells_and_even_odds(task):
    raw = [torch.zeros(1, 9, SIDE // s, SIDE // s) for s in PYRAMID.strides]
    found = task.decode(raw)["keypoints"]
    middle, _ = centres([(16, 16), (8, 8), (4, 4)], PYRAMID.strides, raw[0])
    assert torch.equal(found[0, :, 1, :2], middle)
    assert (found[..., 2] == 0.5).all()


def test_a_raw_one_is_the_typical_object_of_the_level(task):
    raw = [torch.zeros(1, 9, SIDE // s, SIDE // s) for s in PYRAMID.strides]
    raw[1][0, 3, 2, 5] = 1  # the second point's x, in the cell (5, 2) of the second level
    x, y = task.decode(raw)["keypoints"][0, 16 * 16 + 2 * 8 + 5, 1, :2].tolist()
    assert (x, y) == pytest.approx((5.5 * 16 + ((36 * 75 + 76 * 55 + 72 * 146) / 3) ** 0.5, 2.5 * 16), rel=1e-6)


def test_targets_are_the_objects_with_a_labelled_point(task):
    seen = [[1, 1, 1], [1, 1, 1], [0, 0, 0]]
    other = scene([[0, 0, 8, 8], [0, 64, 64, 128], [0, 0, 9, 9]], label(np.ones((3, 3, 2)), seen, [False, True, True]))
    targets = task.targets([ONE, other])
    assert targets["boxes"].tolist() == [[0, 0.5, 0.5, 0.5, 0.75], [1, 0.25, 0.75, 0.5, 0.5]]
    assert targets["points"][0].tolist() == [[40, 60], [90, 62], [64, 30]]
    assert targets["visible"].tolist() == [[2, 1, 2], [1, 1, 1]]


def test_no_scenes_no_targets_no_loss_and_no_harm(task):
    loss = task.loss([level[:0] for level in task(features(2))], task.targets([]))
    loss.total.backward()
    assert loss.total == 0
    assert all(torch.isfinite(p.grad).all() for p in task.parameters() if p.grad is not None)


def test_an_object_too_large_for_any_cell_is_no_harm(task):
    task.anchors = (((1, 1),),) * 3
    loss = task.loss(task(features(1)), task.targets([ONE]))
    assert loss.total == 0
    loss.total.backward()


def test_labels_of_other_points_are_refused(task):
    with pytest.raises(DataError, match="tail"):
        task.targets([scene([[0, 0, 9, 9]], label([[1, 1]], [2], names=("tail",)))])


@pytest.mark.parametrize(
    ("thing", "teaches"),
    [
        (ONE, True),
        (scene([[0, 0, 9, 9]]), False),
        (scene([], label([], [])), False),
        (scene([[0, 0, 9, 9]], label(np.ones((1, 3, 2)), np.zeros((1, 3)))), False),
        (scene([[0, 0, 9, 9]], label(np.ones((1, 3, 2)), np.ones((1, 3)), [False])), False),
    ],
)
def test_what_teaches(thing, teaches):
    assert Pose.labels(thing) is teaches


def test_the_loss_falls_as_the_answers_come_near(task):
    torch.manual_seed(1)
    maps, targets = features(1), task.targets([ONE])
    optimiser = torch.optim.AdamW(task.parameters(), lr=0.02)
    losses = []
    for _ in range(60):
        loss = task.loss(task(maps), targets)
        optimiser.zero_grad()
        loss.total.backward()
        optimiser.step()
        losses.append(loss.total.item())
    assert losses[-1] < 0.1 * losses[0]
    assert all(p.grad is not None for p in task.parameters())


def test_the_total_is_a_sum_over_images(task):
    maps, targets = features(1), task.targets([ONE])
    task.eval()
    single = task.loss(task(maps), targets)
    double = task.loss(task([m.repeat(2, 1, 1, 1) for m in maps]), task.targets([ONE, ONE]))
    assert double.total.item() == pytest.approx(2 * single.total.item(), rel=1e-5)
    assert sum(single.parts.values()).item() == pytest.approx(single.total.item(), rel=1e-5)


@pytest.mark.parametrize(
    "uses",
    [
        Uses(),
        Uses(alignment=Operator.CONCAT, refinement=Operator.ADD, selection=True, modelling=Modelling.NETWORK),
        Uses(alignment=Operator.NONE, refinement=Operator.NONE),
    ],
)
def test_it_folds_exactly(uses):
    task = Pose(PYRAMID, BODY, uses)
    task(features(4))  # running means that are not 0
    task.eval()
    folded, maps = fold(task), features(2)
    assert not [m for m in folded.modules() if isinstance(m, nn.BatchNorm2d | Knowledge)]
    for before, after in zip(task(maps), folded(maps), strict=True):
        torch.testing.assert_close(before, after, rtol=1e-5, atol=1e-5)


def test_a_plan_builds_the_same_task_again():
    plan = {**BODY.to_json(), "knowledge": uses_to_json(Uses(alignment=Operator.MULTIPLY))}
    task = Pose.build(PYRAMID, plan)
    assert task.plan == plan
    again = Pose.build(PYRAMID, task.plan)
    again.load_state_dict(task.state_dict())


def test_a_plan_that_is_none_is_refused():
    with pytest.raises(WeightsError, match="names"):
        Pose.build(PYRAMID, {})


def found(task, classes, cells):
    n = len(classes)
    boxes = np.tile(np.array([0, 0, 50, 100], np.float32), (n, 1))
    return Boxes(boxes, boxes, np.full(n, 0.9, np.float32), np.array(classes, np.int64), np.array(cells, np.int64))


def test_an_answer_has_a_row_for_every_box_in_pixels_of_the_photograph(task):
    plan = plan_letterbox((200, 100), SIDE)
    keypoints = torch.zeros(3, 3, 3)
    keypoints[1] = torch.tensor([[48.0, 64.0, 0.9], [79.5, 0.0, 0.2], [32.0, 128.0, 0.6]])
    sight = Sight(plan, Thresholds(), {"detect": found(task, [1, 0], [1, 1])}, names=("dog", "person"))
    poses = task.answer({"keypoints": keypoints}, sight)
    assert poses.points.shape == (2, 3, 3)
    corner = plan.boxes_to_target(np.array([[25.0, 100.0, 0.0, 200.0]], np.float32))[0]
    assert corner.tolist() == [48, 64, 32, 128]
    assert poses.points[0, [0, 2]].tolist() == [pytest.approx([25, 100, 0.9]), pytest.approx([0, 200, 0.6])]
    assert poses.known.tolist() == [True, False]
    assert np.isnan(poses.points[1, :, :2]).all()
    assert (poses.points[1, :, 2] == 0).all()


def test_no_boxes_no_poses(task):
    sight = Sight(plan_letterbox((200, 100), SIDE), Thresholds(), {"detect": found(task, [], [])}, names=("person",))
    assert task.answer({"keypoints": torch.zeros(3, 3, 3)}, sight).points.shape == (0, 3, 3)


def test_the_plan_is_what_the_labels_say():
    labelled = replace(label(np.ones((1, 3, 2)), [[1, 1, 1]]), skeleton=((0, 2), (1, 1)))
    photographs = [sample(1, 0, label([], [])), sample(2, 1, labelled)]
    data = Dataset(Path("scenes"), "COCO", "train", ("dog", "person"), (1, 2), tuple(photographs), ())
    plan = Pose.plan_for([data])
    assert plan == Body(NAMES, ((0, 2),), ((0, 1),), ("person",)).to_json()
    assert Pose.build(PYRAMID, plan).body.pairs == ((0, 1),)


def sample(number, kind, labels):
    n = len(labels.known)
    boxes = np.zeros((n, 4), np.float32)
    marked = {KeypointLabels: labels}
    return Sample(
        Path(f"{number}.jpg"), SIDE, SIDE, number, boxes, np.full(n, kind), np.zeros(n, bool), boxes[:, 0], marked
    )
