"""Which anchors answer for which boxes: the reference's rows, and cells worked out by hand."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from tacit.tasks.detect.assign import Assignment, assign

LOSS = Path(__file__).parents[1] / "golden/loss"
CASES = json.loads((LOSS / "loss.json").read_text())
LEVELS = [(name, level) for name, case in CASES.items() for level in range(len(case["strides"]))]

GRID = 8  # cells a side in the tests below
SQUARE = torch.tensor([[2.0, 2.0]])  # one anchor, in cells


def one_box(x: float, y: float, width: float = 2, height: float = 2) -> torch.Tensor:
    """A target row from cells of the grid."""
    return torch.tensor([[0, 0, x / GRID, y / GRID, width / GRID, height / GRID]])


def cells(rows: Assignment) -> list[tuple[int, int]]:
    return list(zip(rows.x.tolist(), rows.y.tolist(), strict=True))


@pytest.mark.parametrize(("name", "level"), LEVELS)
def test_value_reference(name: str, level: int) -> None:
    case = CASES[name]
    with np.load(LOSS / f"{name}.npz") as golden:
        targets, theirs = torch.from_numpy(golden["targets"]), golden[f"assign{level}"]
    stride, (height, width) = case["strides"][level], case["hw"]
    anchors = torch.tensor(case["anchors"][level], dtype=torch.float32).view(-1, 2) / stride
    rows = assign(targets, anchors, height // stride, width // stride, case["hyp"]["anchor_t"])
    numbers = torch.stack([rows.image, rows.anchor, rows.y, rows.x, rows.classes], dim=1)
    ours = torch.cat([numbers, rows.boxes, anchors[rows.anchor]], dim=1).numpy()
    assert len(ours) == len(theirs) == case["assigned"][level]
    in_order = [table[np.lexsort(table.round(4).T[::-1])] for table in (ours, theirs)]
    np.testing.assert_allclose(*in_order, rtol=0, atol=1e-6)


@pytest.mark.parametrize(
    ("x", "y", "expected"),
    [
        (3.2, 4.7, [(3, 4), (2, 4), (3, 5)]),
        (3.7, 4.2, [(3, 4), (3, 3), (4, 4)]),
        (3.2, 4.2, [(3, 4), (2, 4), (3, 3)]),
        (3.7, 4.7, [(3, 4), (4, 4), (3, 5)]),
        (3.5, 4.5, [(3, 4)]),
        (0.2, 0.3, [(0, 0)]),
        (7.8, 7.9, [(7, 7)]),
        (3.0, 4.5, [(3, 4), (2, 4), (3, 4)]),
        (8.0, 4.5, [(7, 4), (7, 4)]),
    ],
    ids=["left below", "above right", "left above", "right below", "middle", "corner", "far corner", "line", "edge"],
)
def test_cells_of_a_centre(x: float, y: float, expected: list) -> None:
    """On the line between two cells one of them counts twice, as in the reference."""
    rows = assign(one_box(x, y), SQUARE, GRID, GRID, 4.0)
    assert cells(rows) == expected
    centres = torch.tensor([[x - cell_x, y - cell_y, 2, 2] for cell_x, cell_y in expected])
    torch.testing.assert_close(rows.boxes, centres)


@pytest.mark.parametrize(
    ("width", "height", "answers"),
    [(7.9, 2, True), (8, 2, False), (0.51, 2, True), (0.5, 2, False), (2, 9, False), (7.9, 0.51, True), (0, 2, False)],
)
def test_sides_within_the_limit(width: float, height: float, answers: bool) -> None:
    assert bool(len(assign(one_box(3.5, 3.5, width, height), SQUARE, GRID, GRID, 4.0).image)) == answers


def test_every_fitting_anchor_answers() -> None:
    anchors = torch.tensor([[2.0, 2], [20, 20], [3, 1]])
    rows = assign(one_box(3.2, 3.5), anchors, GRID, GRID, 4.0)
    assert rows.anchor.tolist() == [0, 2, 0, 2]  # the centre of each, then the left of each
    assert cells(rows) == [(3, 3), (3, 3), (2, 3), (2, 3)]


def test_rows_keep_image_and_class() -> None:
    targets = torch.cat([one_box(3.5, 3.5), one_box(5.5, 1.5)])
    targets[:, :2] = torch.tensor([[1.0, 7], [3, 2]])
    rows = assign(targets, SQUARE, GRID, GRID, 4.0)
    assert (rows.image.tolist(), rows.classes.tolist(), cells(rows)) == ([1, 3], [7, 2], [(3, 3), (5, 1)])


def test_shape_of_nothing() -> None:
    rows = assign(torch.zeros(0, 6), SQUARE, GRID, GRID, 4.0)
    assert rows.boxes.shape == (0, 4)
    assert len(rows.image) == len(rows.anchor) == len(rows.x) == len(rows.y) == len(rows.classes) == 0


@settings(deadline=None)
@given(st.floats(0, 1, width=32), st.floats(0, 1, width=32), st.integers(1, 9), st.integers(1, 9))
def test_cells_lie_in_the_grid_and_near_the_centre(x: float, y: float, height: int, width: int) -> None:
    targets = torch.tensor([[0, 0, x, y, 2 / width, 2 / height]])
    rows = assign(targets, SQUARE, height, width, 4.0)
    assert ((rows.x >= 0) & (rows.x < width) & (rows.y >= 0) & (rows.y < height)).all()
    # what the head can say: 2 s - 0.5 for a sigmoid s
    assert ((rows.boxes[:, :2] >= -0.5 - 1e-5) & (rows.boxes[:, :2] <= 1.5 + 1e-5)).all()
    assert 1 <= len(set(cells(rows))) <= 3
