"""The scene task: what teaches it, what it asks for, its loss, its map."""

import numpy as np
import pytest
import torch

from tacit.data.maps import UNKNOWN, MapInMemory, MapLabels
from tacit.data.sample import Scene
from tacit.errors import WeightsError
from tacit.geometry.letterbox import plan_letterbox
from tacit.nn.fold import fold
from tacit.nn.knowledge import Knowledge
from tacit.nn.uses import Operator, Uses
from tacit.tasks.bend import uses_to_json
from tacit.tasks.detect.anchors import ANCHORS_640
from tacit.tasks.scene.head import Scenes
from tacit.tasks.scene.loss import scene_loss
from tacit.tasks.task import Pyramid, Sight
from tacit.thresholds import Thresholds

SIDE = 64
PYRAMID = Pyramid((16, 24, 32), (8, 16, 32), ANCHORS_640)
CLASSES = ["other", "person", "cat", "grass"]


def scene(pixels, meanings):
    label = MapLabels(MapInMemory(np.asarray(pixels, np.uint16), meanings))
    none = np.zeros((0, 4), np.float32)
    return Scene(np.zeros((SIDE, SIDE, 3), np.uint8), none, np.zeros(0, np.int64), {MapLabels: label})


def features(batch=2, side=SIDE, pyramid=PYRAMID):
    torch.manual_seed(0)
    sizes = zip(pyramid.channels, pyramid.strides, strict=True)
    return [torch.randn(batch, channels, side // stride, side // stride) for channels, stride in sizes]


def asked(task, scenes):
    """The sets of classes that the targets allow, by pixel."""
    targets = task.targets(scenes)
    return targets["allowed"].numpy()[targets["pixels"].numpy()]  # n, h, w, classes


@pytest.fixture
def task():
    torch.manual_seed(0)
    return Scenes.build(PYRAMID, {"classes": CLASSES}).eval()


@pytest.mark.parametrize("levels", [2, 3, 4, 5])
def test_one_map_at_the_finest_stride(levels):
    strides = tuple(8 * 2**level for level in range(levels))
    pyramid = Pyramid((16, 24, 32, 40, 48)[:levels], strides, tuple(((9, 9), (30, 30)) for _ in strides))
    task = Scenes(pyramid, CLASSES)
    raw = task(features(side=256, pyramid=pyramid))
    assert [tuple(level.shape) for level in raw] == [(2, 4, 32, 32)]
    assert tuple(task.decode(raw)["scene"].shape) == (2, 4, 64, 64)


def test_a_rectangular_input_and_a_step_that_is_not_two():
    pyramid = Pyramid((16, 24), (8, 32), ANCHORS_640[:2])
    levels = [torch.randn(1, 16, 8, 12), torch.randn(1, 24, 2, 3)]
    assert tuple(Scenes(pyramid, CLASSES)(levels)[0].shape) == (1, 4, 8, 12)


@pytest.mark.parametrize("uses", [Uses(), Uses(selection=True, alignment=Operator.CONCAT)])
def test_it_folds_exactly(uses):
    torch.manual_seed(0)
    task = Scenes.build(PYRAMID, {"classes": CLASSES, "knowledge": uses_to_json(uses)})
    task(features())  # batch norm has seen something
    folded = fold(task)
    assert not [m for m in folded.modules() if isinstance(m, torch.nn.BatchNorm2d | Knowledge)]
    torch.testing.assert_close(folded(features())[0], task.eval()(features())[0], atol=1e-5, rtol=1e-4)


@pytest.mark.parametrize(
    "plan",
    [
        {},
        {"classes": "person"},
        {"classes": ["other"]},
        {"classes": ["person", "other"]},
        {"classes": ["other", "cat", "cat"]},
        {"classes": ["other", 1]},
        {"classes": ["other", "x" * 1000]},
        {"classes": ["other", *map(str, range(300))]},
        {"classes": ["other", "cat"], "knowledge": 1},
    ],
)
def test_a_plan_that_is_none_is_refused(plan):
    with pytest.raises(WeightsError):
        Scenes.build(PYRAMID, plan)


def test_the_plan_is_kept():
    plan = {"classes": CLASSES, "knowledge": uses_to_json(Uses(selection=True))}
    task = Scenes.build(PYRAMID, plan)
    assert task.plan == plan
    assert "select" in dict(task.head.named_children())


def test_targets_are_sampled_at_half_the_finest_stride(task):
    pixels = np.zeros((SIDE, SIDE))
    pixels[:, 32:] = 1
    allowed = asked(task, [scene(pixels, ("grass", "person"))])
    assert allowed.shape == (1, 16, 16, 4)
    assert (allowed[0, :, :8] == [False, False, False, True]).all()
    assert (allowed[0, :, 8:] == [False, True, False, False]).all()


def test_what_a_meaning_allows(task):
    """A name; one the task does not have; none of some; none of all; unknown."""
    pixels = np.full((SIDE, SIDE), UNKNOWN)
    meanings = ("cat", "zebra", frozenset({"person"}), frozenset({"person", "cat", "grass", "zebra"}))
    for number in range(4):
        pixels[:, 8 * number : 8 * number + 8] = number
    allowed = asked(task, [scene(pixels, meanings)])[0, 0]  # the first row: w, classes
    wanted = [[0, 0, 1, 0], [1, 0, 0, 0], [1, 0, 1, 1], [1, 0, 0, 0], [1, 1, 1, 1]]
    np.testing.assert_array_equal(allowed[[0, 2, 4, 6, 8]], np.array(wanted, bool))


def test_images_with_different_meanings_share_a_batch(task):
    first = scene(np.zeros((SIDE, SIDE)), (frozenset({"person"}),))
    second = scene(np.zeros((SIDE, SIDE)), (frozenset({"cat"}),))
    allowed = asked(task, [first, second])
    assert allowed[0].all((0, 1)).tolist() == [True, False, True, True]
    assert allowed[1].all((0, 1)).tolist() == [True, True, False, True]


def test_loss_is_minus_the_log_of_what_is_allowed():
    """Against probabilities summed one by one."""
    torch.manual_seed(0)
    scores = torch.randn(2, 3, 4, 5)
    allowed = torch.tensor([[1, 0, 0], [0, 1, 0], [0, 0, 1], [1, 1, 1], [1, 0, 1], [0, 1, 1]]).bool()
    pixels = torch.randint(0, 6, (2, 4, 5))
    chance, total = scores.softmax(1).numpy(), 0.0
    for image in range(2):
        costs = [
            -np.log(chance[image, allowed[row].numpy(), y, x].sum())
            for (y, x), row in np.ndenumerate(pixels[image].numpy())
            if row != 3
        ]
        total += np.mean(costs)
    loss = scene_loss(scores, pixels, allowed)
    assert float(loss.total) == pytest.approx(total, rel=1e-5)
    assert float(loss.parts["map"]) == pytest.approx(total / 2, rel=1e-5)


def test_anything_but_person_teaches_nothing_else():
    """The gradient lowers persons, and leaves the others in their proportions."""
    scores = torch.zeros(1, 3, 1, 1, requires_grad=True)
    allowed = torch.tensor([[1, 0, 0], [0, 1, 0], [0, 0, 1], [1, 1, 1], [1, 0, 1]]).bool()
    scene_loss(scores, torch.tensor([[[4]]]), allowed).total.backward()
    assert scores.grad.flatten().tolist() == pytest.approx([-1 / 6, 1 / 3, -1 / 6])


def test_unknown_pixels_have_no_gradient_and_all_unknown_no_loss():
    scores = torch.randn(2, 2, 1, 2, requires_grad=True)
    loss = scene_loss(scores, torch.tensor([[[0, 2]], [[2, 2]]]), torch.tensor([[1, 0], [0, 1], [1, 1]]).bool())
    loss.total.backward()
    assert scores.grad[0, :, :, 0].abs().min() > 0
    assert not scores.grad[0, :, :, 1].any()
    assert not scores.grad[1].any()
    assert torch.isfinite(loss.total)


def test_no_image_is_no_loss(task):
    pyramid = [level[:0].requires_grad_() for level in features()]
    loss = task.loss(task(pyramid), task.targets([]))
    loss.total.backward()
    assert loss.total.item() == 0
    assert all(torch.isfinite(p.grad).all() for p in task.parameters() if p.grad is not None)


def test_half_precision_is_summed_in_full(task):
    raw = [level.half() for level in task(features())]
    targets = task.targets([scene(np.zeros((SIDE, SIDE)), ("cat",))] * 2)
    full = task.loss([level.float() for level in raw], targets)
    assert task.loss(raw, targets).total.item() == pytest.approx(full.total.item(), rel=1e-2)


def test_it_learns_two_halves(task):
    task.train()
    pixels = np.ones((SIDE, SIDE))
    pixels[:, :32] = 0
    pyramid = features()
    targets = task.targets([scene(pixels, ("cat", frozenset({"person", "cat"})))] * 2)
    optimiser = torch.optim.Adam(task.parameters(), 0.02)
    for _ in range(60):
        loss = task.loss(task(pyramid), targets).total
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    answer = task.decode(task(pyramid))["scene"].argmax(1)
    assert (answer[:, :, :6] == 2).float().mean() > 0.95
    assert ((answer[:, :, 10:] == 0) | (answer[:, :, 10:] == 3)).float().mean() > 0.95


def test_the_answer_lies_where_the_photograph_does(task):
    """A photograph of 40 x 20 in an input of 64 x 64: the map's border is not part of it."""
    plan = plan_letterbox((20, 40), SIDE)
    scores = torch.zeros(4, 16, 16)
    scores[3] = 0.1
    left, top = plan.pad
    scores[1, int(top) // 4 : 8, int(left) // 4 : 8] = 1  # the upper left quarter of the photograph
    found = task.answer({"scene": scores}, Sight(plan, Thresholds(), {}))
    assert found.classes.shape == (20, 40)
    assert (found.classes[:9, :19] == 1).all()
    assert (found.classes[11:] == 3).all()
    assert (found.classes[:, 21:] == 3).all()
