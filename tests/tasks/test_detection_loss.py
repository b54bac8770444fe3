"""The detection loss: the reference's values and gradients, and the choices that they do not show."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from golden.fill import hashed, unit

from tacit.errors import ConfigError
from tacit.nn import processes
from tacit.tasks.detect.gains import DetectGains
from tacit.tasks.detect.head import Detect
from tacit.tasks.detect.loss import detection_loss
from tacit.tasks.task import TaskLoss

LOSS = Path(__file__).parents[1] / "golden/loss"
CASES = json.loads((LOSS / "loss.json").read_text())
every_case = pytest.mark.parametrize("name", CASES)


def predictions(name: str) -> list[torch.Tensor]:
    """The raw maps of a golden case, rebuilt from its name."""
    case = CASES[name]
    shapes = [(case["batch"], 3, *(side // s for side in case["hw"]), case["nc"] + 5) for s in case["strides"]]
    values = [3 * (2 * unit(f"loss.{name}.p{level}", shape) - 1) for level, shape in enumerate(shapes)]
    return [torch.tensor(value, dtype=torch.float32, requires_grad=True) for value in values]


def golden_of(name: str) -> dict[str, np.ndarray]:
    with np.load(LOSS / f"{name}.npz") as file:
        return dict(file)


def targets_of(name: str) -> torch.Tensor:
    return torch.from_numpy(golden_of(name)["targets"])


def repeat(name: str, raw: list[torch.Tensor]) -> TaskLoss:
    case, hyp = CASES[name], CASES[name]["hyp"]
    gains = DetectGains(
        box=hyp["box"],
        objectness=hyp["obj"],
        classes=hyp["cls"],
        anchor_limit=hyp["anchor_t"],
        focal_gamma=hyp["fl_gamma"],
        class_positive=hyp["cls_pw"],
        objectness_positive=hyp["obj_pw"],
    )
    levels = zip(case["anchors"], case["strides"], strict=True)
    anchors = [torch.tensor(sizes, dtype=torch.float32).view(-1, 2) / stride for sizes, stride in levels]
    return detection_loss(raw, targets_of(name), anchors, gains)


def test_the_numbers_behind_the_golden_files() -> None:
    assert hashed("input", 4).tolist() == [2919738596, 2368076147, 1600780002, 1614780559]
    assert unit("input", (2, 2))[0, 0] == 0.6798046166077256


@every_case
def test_value_reference(name: str) -> None:
    case, loss = CASES[name], repeat(name, predictions(name))
    parts = {key: value.item() for key, value in loss.parts.items()}
    expected = {"box": case["lbox"], "objectness": case["lobj"], "classes": case["lcls"]}
    assert parts == pytest.approx(expected, rel=1e-6, abs=0)
    assert loss.total.item() == pytest.approx(case["loss_times_batch"], rel=1e-6)


@every_case
def test_gradient_reference(name: str) -> None:
    raw, golden = predictions(name), golden_of(name)
    repeat(name, raw).total.backward()
    for level, values in enumerate(raw):
        ours = values.grad.numpy()
        sampled = ours.reshape(-1)[golden[f"grad{level}_idx"]]
        np.testing.assert_allclose(sampled, golden[f"grad{level}"], rtol=1e-4, atol=1e-8)
        at_objects = ours[tuple(golden[f"pos{level}"].T)][:, :5]
        np.testing.assert_allclose(at_objects, golden[f"posgrad{level}"], rtol=1e-4, atol=1e-8)
        assert np.linalg.norm(ours.astype(np.float64)) == pytest.approx(CASES[name]["grad_l2"][level], rel=1e-5)


@pytest.mark.parametrize("name", ["h3", "h3_nc1", "h3_empty"])
def test_task_states_anchors_in_cells_and_scales_the_gain_of_classes(name: str) -> None:
    """A gain of classes of 0.5 holds for 80 of them; the golden cases have it scaled already."""
    case = CASES[name]
    anchors = tuple(tuple(zip(sizes[::2], sizes[1::2], strict=True)) for sizes in case["anchors"])
    task = Detect((8, 8, 8), case["strides"], case["nc"], anchors)
    loss = task.loss(predictions(name), {"boxes": targets_of(name)})
    assert loss.total.item() == pytest.approx(case["loss_times_batch"], rel=1e-6)


def test_no_gradient_through_the_parts() -> None:
    loss = repeat("h3", predictions("h3"))
    assert loss.total.requires_grad
    assert not any(part.requires_grad for part in loss.parts.values())


def test_half_precision_is_summed_in_single() -> None:
    coarse = [level.detach().bfloat16().requires_grad_() for level in predictions("h3")]
    loss, same = repeat("h3", coarse), repeat("h3", [level.detach().float() for level in coarse])
    assert loss.total.dtype == torch.float32
    assert torch.equal(loss.total, same.total)
    loss.total.backward()
    assert all(level.grad.dtype == torch.bfloat16 for level in coarse)


def test_one_process_asks_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(processes, "all_reduce", None)
    assert repeat("h3", predictions("h3")).total.item() == pytest.approx(CASES["h3"]["loss_times_batch"], rel=1e-6)


# By hand: 3 levels of 8 x 8 cells and one anchor of 2 x 2 cells, but only the first level is looked at.
SIDE = 8
ANCHORS = [torch.tensor([[2.0, 2.0]]), torch.tensor([[90.0, 90.0]]), torch.tensor([[90.0, 90.0]])]


def objectness_targets(*boxes: tuple[float, float, float, float]) -> torch.Tensor:
    """The objectness that the loss wants of raw maps of zeros, read from its gradient; boxes xywh in cells."""
    raw = [torch.zeros(1, 1, SIDE, SIDE, 6, requires_grad=True) for _ in ANCHORS]
    targets = torch.tensor([[0, 0, *(value / SIDE for value in box)] for box in boxes])
    detection_loss(raw, targets, ANCHORS, DetectGains()).total.backward()
    slope = raw[0].grad[0, 0, :, :, 4] * SIDE * SIDE / 4  # 4 is the balance of this level, then mean over the cells
    return 0.5 - slope  # d loss = sigmoid - wanted


def test_objectness_target_is_the_overlap() -> None:
    wanted = objectness_targets((3.5, 4.5, 2, 1))  # raw zeros are a box of 2 x 2 around the middle of the cell
    ratio = (torch.tensor(2.0).atan() - torch.tensor(1.0).atan()).square() * 4 / torch.pi**2
    complete = 0.5 - ratio * ratio / (1 - 0.5 + ratio)
    assert wanted[4, 3].item() == pytest.approx(complete.item(), abs=1e-5)
    wanted[4, 3] = 0
    assert wanted.abs().max() < 1e-6


@pytest.mark.parametrize(
    ("boxes", "winner"),
    [
        ([(3.5, 4.5, 2, 2), (3.5, 4.5, 2, 1)], 1),
        ([(3.5, 4.5, 2, 1), (3.5, 4.5, 2, 2)], 1),
        ([(2.7, 4.5, 2, 2), (3.5, 4.5, 2, 1)], 0),
        ([(3.5, 4.5, 2, 1), (2.7, 4.5, 2, 2)], 1),
        ([(2.7, 4.5, 2, 2), (4.3, 4.5, 2, 1)], 0),
    ],
    ids=["later box", "later box again", "right after centre", "right after centre again", "right after left"],
)
def test_last_row_wins_a_cell(boxes: list, winner: int) -> None:
    """Rows are ordered by offset (centre, left, top, right, bottom), then by box."""
    both, alone = objectness_targets(*boxes), objectness_targets(boxes[winner])
    loser = objectness_targets(boxes[1 - winner])
    assert both[4, 3].item() == pytest.approx(alone[4, 3].item(), abs=1e-6)
    assert abs(loser[4, 3] - alone[4, 3]) > 0.05


def test_overlap_below_zero_is_no_target() -> None:
    """A complete IoU may be negative; a probability may not."""
    raw = [torch.zeros(1, 1, SIDE, SIDE, 6) for _ in ANCHORS]
    raw[0][..., :2], raw[0][..., 2:4] = 9, -9  # tiny boxes in the far corner of their cells
    raw[0].requires_grad_()
    targets = torch.tensor([[0, 0, 3.5 / SIDE, 4.5 / SIDE, 0.6 / SIDE, 0.6 / SIDE]])
    loss = detection_loss(raw, targets, ANCHORS, DetectGains())
    assert loss.parts["box"].item() > DetectGains().box  # 1 - CIoU over 1
    loss.total.backward()
    assert raw[0].grad[0, 0, 4, 3, 4].item() == pytest.approx(0.5 * 4 / SIDE / SIDE)


def test_weights_of_positives() -> None:
    """-(w y log s + (1 - y) log(1 - s)), with w for objectness and for classes."""
    generator = torch.Generator().manual_seed(0)
    raw = [torch.randn(1, 1, SIDE, SIDE, 8, generator=generator) for _ in ANCHORS]
    targets = torch.tensor([[0, 1, 3.5 / SIDE, 4.5 / SIDE, 2 / SIDE, 2 / SIDE]])
    plain = detection_loss(raw, targets, ANCHORS, DetectGains())
    heavy = detection_loss(raw, targets, ANCHORS, DetectGains(class_positive=3, objectness_positive=2))
    cell = raw[0][0, 0, 4, 3]
    class_share = -cell[6].sigmoid().log() / 3 * DetectGains().classes
    assert (heavy.parts["classes"] - plain.parts["classes"]).item() == pytest.approx(2 * class_share.item(), rel=1e-5)

    certain = [level.clone() for level in raw]
    certain[0][0, 0, 4, 3, :4] = 0  # raw zeros are this very box, so the wanted objectness is 1
    plain = detection_loss(certain, targets, ANCHORS, DetectGains())
    heavy = detection_loss(certain, targets, ANCHORS, DetectGains(objectness_positive=2))
    share = -cell[4].sigmoid().log() * 4 / SIDE / SIDE
    difference = heavy.parts["objectness"] - plain.parts["objectness"]
    assert difference.item() == pytest.approx(share.item(), rel=1e-4)


@pytest.mark.parametrize(
    "gains",
    [{"box": -0.1}, {"objectness": float("nan")}, {"classes": float("inf")}, {"anchor_limit": 1.0}],
)
def test_error_impossible_gains(gains: dict) -> None:
    with pytest.raises(ConfigError, match=next(iter(gains))):
        DetectGains(**gains)
