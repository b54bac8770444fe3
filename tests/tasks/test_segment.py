"""The segmentation task: what teaches it, what it asks for, its loss, its masks."""

import numpy as np
import pytest
import torch

from tacit import zoo
from tacit.data.masks import MaskLabels
from tacit.data.sample import Scene
from tacit.errors import WeightsError
from tacit.geometry.letterbox import plan_letterbox
from tacit.nn.fold import fold
from tacit.nn.knowledge import Knowledge
from tacit.tasks.cells import Positives
from tacit.tasks.detect.anchors import ANCHORS_640
from tacit.tasks.detect.answer import Boxes
from tacit.tasks.segment.head import Segment
from tacit.tasks.segment.loss import ROWS, around, thinned
from tacit.tasks.task import Pyramid, Sight
from tacit.thresholds import Thresholds

SIDE = 64
PYRAMID = Pyramid((16, 24, 32), (8, 16, 32), ANCHORS_640)


def rectangle(x0, y0, x1, y1):
    return ((np.array([[x0, y0], [x1, y0], [x1, y1], [x0, y1]], float),),)


def scene(boxes, masked=None, complete=frozenset()):
    """`masked` says of each box whether its inner half is its mask, or nothing is known."""
    corners = np.array(boxes, np.float32).reshape(-1, 4)
    outlines = [
        rectangle(x0, y0, (x0 + x1) / 2, y1) if known else None
        for (x0, y0, x1, y1), known in zip(boxes, masked or [True] * len(boxes), strict=True)
    ]
    return Scene(
        image=np.zeros((SIDE, SIDE, 3), np.uint8),
        boxes=corners,
        classes=np.zeros(len(corners), np.int64),
        labels={MaskLabels: MaskLabels(tuple(outlines), complete)},
    )


def features(batch=2, side=SIDE, pyramid=PYRAMID):
    torch.manual_seed(0)
    sizes = zip(pyramid.channels, pyramid.strides, strict=True)
    return [torch.randn(batch, channels, side // stride, side // stride) for channels, stride in sizes]


@pytest.fixture
def task():
    torch.manual_seed(0)
    return Segment(PYRAMID, 8).eval()


@pytest.mark.parametrize("levels", [2, 3, 4, 5])
def test_raw_maps_at_a_quarter_and_one_map_a_level(levels):
    strides = tuple(8 * 2**level for level in range(levels))
    pyramid = Pyramid((16, 24, 32, 40, 48)[:levels], strides, tuple(((9, 9), (30, 30)) for _ in strides))
    raw = Segment(pyramid, 8)(features(2, 256, pyramid))
    assert raw[0].shape == (2, 8, 64, 64)
    assert [level.shape for level in raw[1:]] == [(2, 8, 256 // s, 256 // s) for s in strides]


def test_it_stands_on_every_trunk():
    network = zoo.create("debug", 3)
    maps = network.trunk(torch.zeros(1, 3, 64, 64))
    pyramid = Pyramid(
        tuple(level.shape[1] for level in maps), tuple(64 // level.shape[2] for level in maps), ANCHORS_640
    )
    raw = Segment.build(pyramid, {"prototypes": 4})(maps)
    assert raw[0].shape == (1, 4, 16, 16)


def test_decode_has_one_row_a_cell(task):
    decoded = task.decode(task(features()))
    assert decoded["prototypes"].shape == (2, 8, 16, 16)
    assert decoded["coefficients"].shape == (2, 64 + 16 + 4, 8)


@pytest.mark.parametrize("knowledge", [{}, {"alignment": "concat", "refinement": "none", "selection": True}])
def test_it_folds(knowledge):
    torch.manual_seed(0)
    task = Segment.build(PYRAMID, {"prototypes": 8, "knowledge": knowledge}).eval()
    folded, maps = fold(task), features()
    assert not [part for part in folded.modules() if isinstance(part, Knowledge | torch.nn.BatchNorm2d)]
    for before, after in zip(task(maps), folded(maps), strict=True):
        torch.testing.assert_close(before, after, atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("prototypes", [0, -1, 10**9, 2.5, "32", True, None, [32]])
def test_error_for_a_plan_that_is_none(prototypes):
    with pytest.raises(WeightsError, match="number of prototypes"):
        Segment.build(PYRAMID, {"prototypes": prototypes})


def test_error_for_knowledge_that_is_none():
    with pytest.raises(WeightsError):
        Segment.build(PYRAMID, {"prototypes": 8, "knowledge": {"alignment": "sideways"}})


def test_a_plan_is_kept_as_it_was_given():
    assert Segment.build(PYRAMID, {"prototypes": 8}).plan == {"prototypes": 8}
    assert Segment.build(PYRAMID, {}).plan == {}


def test_only_masks_teach():
    boxes = [[0, 0, 32, 32], [32, 32, 64, 64]]
    assert Segment.labels(scene(boxes, [False, True]))
    assert not Segment.labels(scene(boxes, [False, False]))
    assert not Segment.labels(Scene(np.zeros((8, 8, 3), np.uint8), np.zeros((0, 4), np.float32), np.zeros(0, np.int64)))


def test_targets_are_the_objects_with_a_mask(task):
    first = scene([[0, 0, 32, 32], [32, 16, 64, 48]], [False, True])
    second = scene([[8, 0, 24, 64], [60.1, 60.1, 60.4, 60.4]])  # the last is too thin for a pixel of a quarter
    targets = task.targets([first, second])
    assert targets["objects"].tolist() == [[0, 0.75, 0.5, 0.5, 0.5], [1, 0.25, 0.5, 0.25, 1]]
    assert targets["masks"].shape == (2, 16, 16)
    assert targets["masks"].dtype == torch.uint8
    assert targets["masks"].sum((1, 2)).tolist() == [4 * 8, 2 * 16]
    assert targets["masks"][0, 4:12, 8:12].all()


def random_targets(task):
    return task.targets([scene([[4, 4, 44, 52], [30, 2, 60, 30]]), scene([[0, 0, 30, 60]])])


def test_an_unlabelled_object_changes_nothing(task):
    raw = task(features())
    with_it = task.targets([scene([[4, 4, 44, 52], [30, 2, 60, 30]], [True, False]), scene([[0, 0, 30, 60]])])
    without = task.targets([scene([[4, 4, 44, 52]]), scene([[0, 0, 30, 60]])])
    assert task.loss(raw, with_it).total == task.loss(raw, without).total


def test_the_loss_is_a_sum_over_images(task):
    raw, once = task(features(1)), scene([[4, 4, 44, 52], [30, 2, 60, 30]])
    twice = [torch.cat([level, level]) for level in raw]
    single, double = task.loss(raw, task.targets([once])), task.loss(twice, task.targets([once, once]))
    torch.testing.assert_close(double.total, 2 * single.total)
    torch.testing.assert_close(double.parts, single.parts)
    torch.testing.assert_close(sum(single.parts.values()), single.total.detach())


def test_a_perfect_answer_costs_nothing(task):
    objects = [[4, 4, 44, 52], [30, 2, 60, 30]]
    targets = task.targets([scene(objects[:1])])
    raw = [level.detach() * 0 for level in task(features(1))]
    raw[0][:, 0] = 40 * (2 * targets["masks"][0].float() - 1)
    for level in raw[1:]:
        level[:, 0] = 1
    parts = task.loss(raw, targets).parts
    assert all(value < 1e-4 for value in parts.values())
    assert all(value > 0.5 for value in task.loss([raw[0], *(-level for level in raw[1:])], targets).parts.values())


def test_what_lies_far_from_the_box_costs_nothing(task):
    targets = task.targets([scene([[0, 0, 24, 24]])])
    raw = task(features(1))
    before = task.loss(raw, targets).total
    raw[0][:, :, 9:, 9:] += 5
    assert task.loss(raw, targets).total == before


@pytest.mark.parametrize("images", [0, 2])
def test_nothing_to_learn_is_a_loss_of_zero(task, images):
    task.train()
    blank = [scene([[60.1, 60.1, 60.4, 60.4]])] * images
    loss = task.loss([level[:images] for level in task(features())], task.targets(blank))
    assert loss.total == 0
    loss.total.backward()
    gradients = [parameter.grad for parameter in task.parameters() if parameter.grad is not None]
    assert gradients
    assert not any(gradient.any() for gradient in gradients)


def test_every_part_gets_a_gradient(task):
    task.train()
    task.loss(task(features()), random_targets(task)).total.backward()
    assert all(parameter.grad is not None and parameter.grad.any() for parameter in task.parameters())


def test_the_loss_is_the_same_for_half_precision(task):
    raw = [level.detach().bfloat16() for level in task(features())]
    ours, whole = (task.loss(maps, random_targets(task)).total for maps in (raw, [level.float() for level in raw]))
    assert ours == whole


@pytest.mark.parametrize(("room", "kept"), [(100, [1, ROWS, 3]), (4, [1, 2, 1]), (0, [0, 0, 0])])
def test_rows_are_thinned_evenly(room, kept):
    number = torch.tensor([2, 1, 1, 0, 1, 2, 1, 1, 1, 1, 1, 2])
    rows = Positives(torch.zeros_like(number), torch.arange(12), number)
    thin = thinned(rows, room)
    assert torch.bincount(thin.object, minlength=3).tolist() == kept
    assert thin.object.tolist() == sorted(thin.object.tolist())
    if room == 100:
        assert thin.cell[thin.object == 1].tolist() == [1, 4, 7, 9]


def test_around_a_box_is_one_pixel_more():
    boxes = torch.tensor([[0.5, 0.5, 0.25, 0.5], [0.0, 0.0, 0.01, 0.01]])
    about = around(boxes, 8, 8)
    assert about[0].nonzero().aminmax(dim=0) == (torch.tensor([1, 2]).tolist(), None) or about[0].sum() == 6 * 4
    assert about[1].sum() == 4


def boxes_of(corners, cells, letterbox):
    found = np.array(corners, np.float32).reshape(-1, 4)
    count = len(found)
    return Boxes(
        boxes=found,
        inputs=letterbox.boxes_to_target(found),
        scores=np.linspace(1, 0.5, count).astype(np.float32),
        classes=np.zeros(count, np.int64),
        cells=np.array(cells, np.int64).reshape(-1),
    )


def test_a_mask_lies_where_its_prototype_does(task):
    """A photograph of 100 x 200 in an input of 64: a plane that is 0 along x = 83 of the photograph."""
    letterbox = plan_letterbox((100, 200), SIDE)
    middle = np.arange(16) * 4 + 2.0  # of the prototypes' pixels, in the input
    plane = (middle - letterbox.pad[0]) / letterbox.ratio[0] - 83
    prototypes = torch.zeros(8, 16, 16)
    prototypes[3] = torch.from_numpy(plane).float()
    coefficients = torch.zeros(84, 8)
    coefficients[5, 3], coefficients[70, 3] = 1, -1
    found = boxes_of([[20, 10, 180, 90], [20.4, 10.6, 180, 90], [199.9, 99.9, 200, 100]], [5, 70, 5], letterbox)
    sight = Sight(letterbox, Thresholds(), {"detect": found})
    masks = task.answer({"prototypes": prototypes, "coefficients": coefficients}, sight)
    right, left, last = (masks.mask(index) for index in range(3))
    assert right.shape == (100, 200)
    assert np.argwhere(right).min(0).tolist() == [10, 83]
    assert np.argwhere(right).max(0).tolist() == [89, 179]
    assert right.sum() == 80 * (180 - 83)
    assert np.argwhere(left).min(0).tolist() == [11, 20]
    assert left.sum() == 79 * (83 - 20)
    assert np.argwhere(last).tolist() == [[99, 199]]


def test_no_boxes_no_masks(task):
    letterbox = plan_letterbox((100, 200), SIDE)
    sight = Sight(letterbox, Thresholds(), {"detect": boxes_of([], [], letterbox)})
    decoded = {"prototypes": torch.zeros(8, 16, 16), "coefficients": torch.zeros(84, 8)}
    masks = task.answer(decoded, sight)
    assert len(masks) == 0
    assert masks.to_json() == []
