"""Suppression: the reference's kept rows, and what must hold of any greedy suppression."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from tacit.geometry import nms
from tacit.geometry.boxes import xywh_to_xyxy
from tacit.geometry.iou import box_iou
from tacit.geometry.nms import non_maximum_suppression

OPS = Path(__file__).parents[1] / "golden/ops"
GOLDEN = np.load(OPS / "nms.npz")
RUNS = dict(enumerate(json.loads((OPS / "nms.json").read_text())["runs"]))
PLAIN = [index for index, run in RUNS.items() if not run.get("merge")]
MERGED = [index for index, run in RUNS.items() if run.get("merge")]


def repeat(index: int) -> list[torch.Tensor]:
    run = RUNS[index]
    return non_maximum_suppression(
        torch.from_numpy(GOLDEN[f"pred_{run['pred']}"]),
        confidence=run["conf_thres"],
        iou=run["iou_thres"],
        classes=run.get("classes"),
        agnostic=run.get("agnostic", False),
    )


def random_rows(seed: int, rows: int = 60, classes: int = 3) -> torch.Tensor:
    """Crowded boxes (1, rows, 5 + classes) with distinct scores."""
    generator = torch.Generator().manual_seed(seed)
    drawn = torch.rand(1, rows, 5 + classes, generator=generator, dtype=torch.float64)
    drawn[..., :2] = drawn[..., :2] * 60 + 40
    drawn[..., 2:4] = drawn[..., 2:4] * 40 + 10
    return drawn


def as_rows(kept: torch.Tensor, classes: int = 3) -> torch.Tensor:
    """Detections written back as predictions of a network that is sure of each class."""
    sure = torch.nn.functional.one_hot(kept[:, 5].long(), classes).to(kept.dtype)
    centre, size = (kept[:, :2] + kept[:, 2:4]) / 2, kept[:, 2:4] - kept[:, :2]
    return torch.cat([centre, size, kept[:, 4:5], sure], 1)[None]


def one_by_one(found: torch.Tensor, threshold: float) -> torch.Tensor:
    """Greedy suppression as it is told: the oracle."""
    kept: list[torch.Tensor] = []
    for row in found[found[:, 4].argsort(descending=True, stable=True)]:
        rivals = [other for other in kept if other[5] == row[5]]
        if not rivals or box_iou(torch.stack(rivals)[:, :4], row[None, :4]).max() <= threshold:
            kept.append(row)
    return torch.stack(kept)


@pytest.mark.parametrize("index", PLAIN)
def test_value_reference(index: int) -> None:
    for image, ours in enumerate(repeat(index)):
        theirs = GOLDEN[f"run{index}_img{image}"].reshape(-1, 6)
        assert len(ours) == len(theirs) == RUNS[index]["kept"][image]
        np.testing.assert_allclose(ours.numpy(), theirs, rtol=0, atol=1e-4)


@pytest.mark.parametrize("index", MERGED)
def test_merging_is_left_out(index: int) -> None:
    """The reference's merge option averages a kept box with those it covers and drops boxes that stand alone.

    Scores and classes are those of ours; the boxes are moved.
    """
    for image, ours in enumerate(repeat(index)):
        theirs = torch.from_numpy(GOLDEN[f"run{index}_img{image}"])
        same = (theirs[:, None, 4:] == ours[:, 4:]).all(2)
        assert same.any(1).all()
        assert len(theirs) < len(ours)
        partner = ours[same.float().argmax(1)]
        overlap = box_iou(theirs[:, :4], partner[:, :4]).diagonal()
        assert (overlap > RUNS[index]["iou_thres"]).all()
        assert (overlap < 1).all()


@pytest.mark.parametrize("index", [index for index in PLAIN if RUNS[index]["pred"] == "nc80"])
def test_value_reference_among_25200_rows(index: int) -> None:
    """The reference's rows as a network of 640 px gives them: between those of which it is not sure at all."""
    run, generator = RUNS[index], torch.Generator().manual_seed(index)
    few = torch.from_numpy(GOLDEN[f"pred_{run['pred']}"])
    field = torch.rand(len(few), 25_200, few.shape[2], generator=generator) * 50 + 1
    field[..., 4:] = 0.0009 * field[..., 4:] / 51
    field[:, torch.randperm(25_200, generator=generator)[: few.shape[1]].sort().values] = few
    found = non_maximum_suppression(
        field, confidence=run["conf_thres"], iou=run["iou_thres"], classes=run.get("classes"),
        agnostic=run.get("agnostic", False),
    )  # fmt: skip
    assert all(torch.equal(ours, alone) for ours, alone in zip(found, repeat(index), strict=True))
    assert [len(ours) for ours in found] == run["kept"]


def test_value_a_crowd_of_43194_candidates() -> None:
    """As many as a scored photograph may give: 3,448 rows above 0.001, in whose crowd most boxes cover each other."""
    generator, rows = torch.Generator().manual_seed(0), torch.zeros(25_200, 85)
    busy = torch.randperm(25_200, generator=generator)[:3_448]
    rows[busy, :4] = torch.rand(3_448, 4, generator=generator) * 30 + 40
    rows[busy, 4] = torch.rand(3_448, generator=generator) * 0.98 + 0.02
    pairs = torch.randperm(3_448 * 80, generator=generator)[:43_194]
    rows[busy[pairs // 80], 5 + pairs % 80] = torch.rand(43_194, generator=generator) * 0.9 + 0.1
    scores = rows[:, 5:] * rows[:, 4:5]
    assert int((scores > 0.001).sum()) == 43_194
    (ours,) = non_maximum_suppression(rows[None], confidence=0.001, iou=0.65)
    row, label = (scores > 0.001).nonzero().T
    everything = torch.cat([xywh_to_xyxy(rows[row, :4]), scores[row, label, None], label[:, None].float()], 1)
    best = everything[everything[:, 4].argsort(descending=True, stable=True)[:800]]
    assert len(ours) == 300
    assert torch.equal(ours, one_by_one(best, 0.65)[:300])


@settings(max_examples=40)
@given(st.integers(0, 10_000), st.floats(0.1, 0.9), st.sampled_from([1, 7, 256]))
def test_blocks_equal_one_by_one(seed: int, threshold: float, block: int) -> None:
    rows = random_rows(seed, rows=30)
    (everything,) = non_maximum_suppression(rows, confidence=0.1, iou=1.0, max_detections=10_000)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(nms, "BLOCK", block)
        patch.setattr(nms, "HEAD", 16)
        (kept,) = non_maximum_suppression(rows, confidence=0.1, iou=threshold)
    assert torch.equal(kept, one_by_one(everything, threshold))


@given(st.integers(0, 10_000), st.floats(0.1, 0.9))
def test_kept_boxes_leave_each_other_alone(seed: int, threshold: float) -> None:
    (kept,) = non_maximum_suppression(random_rows(seed), confidence=0.1, iou=threshold)
    assert (kept[:, 4] > 0.1).all()
    assert (kept[:-1, 4] >= kept[1:, 4]).all()
    rivals = (kept[:, None, 5] == kept[:, 5]).triu(1)
    assert (box_iou(kept[:, :4], kept[:, :4])[rivals] <= threshold).all()


@given(st.integers(0, 10_000))
def test_order_of_rows_does_not_matter(seed: int) -> None:
    rows = random_rows(seed)
    shuffled = rows[:, torch.randperm(rows.shape[1], generator=torch.Generator().manual_seed(seed))]
    ours, again = (non_maximum_suppression(each, confidence=0.05, iou=0.5)[0] for each in (rows, shuffled))
    assert torch.equal(ours, again)


@given(st.integers(0, 10_000))
def test_twice_changes_nothing(seed: int) -> None:
    (once,) = non_maximum_suppression(random_rows(seed), confidence=0.1, iou=0.4)
    (twice,) = non_maximum_suppression(as_rows(once), confidence=0.1, iou=0.4)
    torch.testing.assert_close(twice, once)


def test_max_detections_are_the_best() -> None:
    (everything,) = non_maximum_suppression(random_rows(3), confidence=0.01, iou=0.5)
    (few,) = non_maximum_suppression(random_rows(3), confidence=0.01, iou=0.5, max_detections=5)
    assert len(everything) > 5
    assert torch.equal(few, everything[:5])


def test_one_label_a_row() -> None:
    row = torch.tensor([[[50.0, 50.0, 20.0, 20.0, 0.9, 0.8, 0.6]]])
    assert len(non_maximum_suppression(row, confidence=0.1, iou=0.5)[0]) == 2
    (only,) = non_maximum_suppression(row, confidence=0.1, iou=0.5, multi_label=False)
    torch.testing.assert_close(only, torch.tensor([[40.0, 40.0, 60.0, 60.0, 0.72, 0.0]]))
    assert len(non_maximum_suppression(row, confidence=0.1, iou=0.5, agnostic=True)[0]) == 1


def test_classes_far_from_the_origin_stay_apart() -> None:
    """The reference moves class c by 4096 c pixels: there these two would suppress each other."""
    rows = torch.tensor([[[5000.0, 5000, 200, 200, 0.9, 1, 0], [904.0, 904, 200, 200, 0.8, 0, 1]]])
    assert len(non_maximum_suppression(rows, confidence=0.1, iou=0.5)[0]) == 2


@pytest.mark.parametrize(
    ("spoiled", "value"),
    [(0, "nan"), (2, "nan"), (4, "nan"), (5, "nan"), (1, "inf"), (3, "inf"), (0, "-inf")],
)
def test_rows_that_are_not_finite_are_dropped(spoiled: int, value: str) -> None:
    rows = torch.tensor([[50.0, 50.0, 20.0, 20.0, 0.9, 0.8]]).repeat(2, 1)
    rows[1, 0], rows[0, spoiled] = 90, float(value)
    for multi_label in (True, False):
        (kept,) = non_maximum_suppression(rows[None], confidence=0.1, iou=0.5, multi_label=multi_label)
        assert kept[:, :4].tolist() == [[80, 40, 100, 60]]


@pytest.mark.parametrize("shape", [(0, 10, 8), (2, 0, 8), (2, 1, 8)])
@pytest.mark.parametrize("multi_label", [True, False])
def test_shape_of_nothing(shape: tuple[int, ...], multi_label: bool) -> None:
    answers = non_maximum_suppression(torch.zeros(shape), confidence=0.1, iou=0.5, multi_label=multi_label)
    assert [tuple(answer.shape) for answer in answers] == [(0, 6)] * shape[0]


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64, torch.bfloat16])
def test_dtype_is_kept(dtype: torch.dtype) -> None:
    (kept,) = non_maximum_suppression(random_rows(1).to(dtype), confidence=0.1, iou=0.5)
    assert kept.dtype == dtype
    assert len(kept) > 0
