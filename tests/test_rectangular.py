"""Rectangular batches: the published shapes, and the answers of a photograph that has its border already."""

from pathlib import Path

import numpy as np
import pytest
import torch
from pictures import draw_scene
from PIL import Image
from trained import look_trained

from tacit.data.sample import Dataset, Sample
from tacit.errors import ConfigError
from tacit.evaluate import evaluate
from tacit.geometry.letterbox import FILL
from tacit.geometry.views import THREE_VIEWS
from tacit.rectangular import Grid, Rectangular, by_aspect, grid_of, plan_in_rectangle, rectangle_of
from tacit.stages import SCORING, Stages, Thresholds
from tacit.zoo import create

NAMES = ("square", "disc")
ALL = Thresholds(confidence=0.0, iou=0.65, max_detections=50)


@pytest.fixture(scope="module")
def network() -> torch.nn.Module:
    torch.manual_seed(0)
    return look_trained(create("debug", len(NAMES)))


def rectangular(network: torch.nn.Module, size: int = 128, stride: int = 32, batch: int = 8) -> Rectangular:
    grid = Grid(group=16, stride=stride)
    return Rectangular(stages=Stages(network, NAMES, size, ALL), grid=grid, batch=batch)


@pytest.fixture
def dataset(tmp_path: Path) -> Dataset:
    """Eight drawn photographs, from lying to standing and back."""
    samples = []
    for number in range(8):
        image, boxes, classes = draw_scene(number, height=96 + 16 * (number % 5))
        path = tmp_path / f"{number}.png"
        Image.fromarray(image).save(path)
        area = (boxes[:, 2:] - boxes[:, :2]).prod(1)
        height, width = image.shape[:2]
        samples.append(Sample(path, width, height, number, boxes, classes, np.zeros(len(boxes), bool), area))
    return Dataset(tmp_path, "COCO", "dev", NAMES, (1, 2), tuple(samples), ())


@pytest.mark.parametrize(
    ("size", "stride", "sources", "shape"),
    [
        (640, 64, [(480, 480)], (704, 704)),
        (640, 32, [(480, 480)], (672, 672)),
        (1280, 64, [(480, 480)], (1344, 1344)),
        (640, 64, [(427, 640)], (512, 704)),  # 6.67 + 0.5 strides
        (640, 64, [(640, 427)], (704, 512)),
        (640, 64, [(300, 640), (427, 640), (854, 1280)], (512, 704)),  # the tallest decides
        (640, 64, [(300, 640), (640, 300)], (704, 704)),  # lying and standing together
    ],
)
def test_value_shape(size: int, stride: int, sources: list[tuple[int, int]], shape: tuple[int, int]) -> None:
    assert rectangle_of(sources, size, stride) == shape


@pytest.mark.parametrize(
    ("model", "own", "grid"),
    [
        ("yolor-csp", 32, (32, 64)),
        ("yolor-p6", 64, (32, 64)),
        ("yolor-p6-paper", 64, (16, 64)),
        ("yolor-s4-dwt", 32, (16, 32)),
        ("yolov4-p7", 128, (32, 128)),
        ("debug", 32, (16, 32)),
    ],
)
def test_value_published_grid(model: str, own: int, grid: tuple[int, int]) -> None:
    found = grid_of(model, own)
    assert (found.group, found.stride) == grid


def test_value_plan_lies_in_the_middle_and_goes_back() -> None:
    plan = plan_in_rectangle((427, 641), 640, (512, 704))
    assert (plan.inner, plan.target, plan.pad) == ((426, 640), (512, 704), (32, 43))
    whole = np.array([[0, 0, 641, 427]], np.float32)
    np.testing.assert_allclose(plan.boxes_to_target(whole), [[32, 43, 672, 469]], atol=1e-3)
    np.testing.assert_allclose(plan.boxes_to_source(plan.boxes_to_target(whole)), whole, atol=1e-3)


def test_small_photographs_become_larger_and_thin_ones_keep_a_pixel() -> None:
    assert plan_in_rectangle((30, 40), 640, (512, 704)).inner == (480, 640)
    assert plan_in_rectangle((1, 5000), 640, (64, 704)).inner == (1, 640)


def test_by_aspect_is_the_widest_first(dataset: Dataset) -> None:
    shapes = [sample.height / sample.width for sample in by_aspect(dataset).samples]
    assert shapes == sorted(shapes) != [sample.height / sample.width for sample in dataset.samples]
    assert {sample.id for sample in by_aspect(dataset).samples} == set(range(8))


def test_same_answers_as_with_the_border_already_on(network: torch.nn.Module) -> None:
    """128 x 96 becomes 160 x 128; given that, framed by hand, prediction's own batches see the same pixels."""
    photos = [draw_scene(seed)[0] for seed in range(3)]
    framed = [np.pad(photo, ((16, 16), (16, 16), (0, 0)), constant_values=FILL) for photo in photos]
    for ours, theirs in zip(rectangular(network)(photos), Stages(network, NAMES, 160, ALL)(framed), strict=True):
        assert (ours.width, ours.height) == (128, 96)
        assert len(ours) > 5
        np.testing.assert_array_equal(ours.classes, theirs.classes)
        np.testing.assert_allclose(ours.scores, theirs.scores, atol=1e-6)
        moved = (theirs.boxes - 16).clip(0, [128, 96, 128, 96])
        np.testing.assert_allclose(ours.boxes, moved, atol=1e-3)


def test_the_forward_batch_changes_nothing(network: torch.nn.Module) -> None:
    photos = [draw_scene(seed, height=80 + 12 * seed)[0] for seed in range(5)]
    shapes = []
    hook = network.register_forward_pre_hook(lambda _, inputs: shapes.append(tuple(inputs[0].shape)))
    many, few = rectangular(network)(photos), rectangular(network, batch=2)(photos)
    hook.remove()
    assert shapes == [(5, 3, 160, 160), (2, 3, 160, 160), (2, 3, 160, 160), (1, 3, 160, 160)]
    for one, other in zip(many, few, strict=True):
        assert one.image is other.image
        np.testing.assert_allclose(one.scores, other.scores, atol=1e-5)


def test_scores_a_dataset_with_three_views(network: torch.nn.Module, dataset: Dataset) -> None:
    stages = Stages(network, NAMES, 128, SCORING, THREE_VIEWS)
    steps: list[int] = []
    predict = Rectangular(stages=stages, grid=Grid(group=5, stride=64), batch=2)
    done = evaluate(predict, by_aspect(dataset), batch=5, progress=steps.append)
    assert (done.images, steps) == (8, [5, 3])
    assert done.scores.ap is not None


@pytest.mark.parametrize("stride", [0, 16, 48, -32])
def test_error_stride(network: torch.nn.Module, stride: int) -> None:
    with pytest.raises(ConfigError, match=f"cannot take sides of {stride}.*multiples of 32"):
        rectangular(network, stride=stride)
