"""The detection head: where it starts, and what its numbers mean."""

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from tacit.nn.knowledge import Add, Multiply
from tacit.tasks.detect.head import ANCHORS_640, Detect

STRIDES = (8, 16, 32)


def detect(classes: int = 3, channels: tuple[int, int, int] = (4, 6, 8)) -> Detect:
    torch.manual_seed(0)
    return Detect(channels, STRIDES, classes)


def zeros(classes: int, height: int = 2, width: int = 3) -> list[torch.Tensor]:
    """Raw maps of an input of height x width cells of 32 pixels."""
    return [torch.zeros(1, 3, height * 32 // s, width * 32 // s, 5 + classes) for s in STRIDES]


def rows_before(raw: list[torch.Tensor], level: int, anchor: int, y: int, x: int) -> int:
    """The number of the decoded row of one prediction."""
    _, _, height, width, _ = raw[level].shape
    return sum(each[0, ..., 0].numel() for each in raw[:level]) + (anchor * height + y) * width + x


def test_knowledge_stands_before_and_after_the_convolution() -> None:
    for head, width in zip(detect().heads, (4, 6, 8), strict=True):
        add, conv, multiply = head
        assert isinstance(add, Add)
        assert isinstance(multiply, Multiply)
        assert (add.knowledge.channels, multiply.knowledge.channels) == (width, 3 * 8)
        assert (conv.kernel_size, conv.in_channels, conv.out_channels) == ((1, 1), width, 3 * 8)


@pytest.mark.parametrize("classes", [1, 3, 80])
def test_biases_start_at_the_frequencies_of_photographs(classes: int) -> None:
    spread = 1 / math.sqrt(10_000)  # of torch's own start, which the prior is added to
    for head, stride in zip(detect(classes, (10_000,) * 3).heads, STRIDES, strict=True):
        bias = head.get_submodule("conv").bias.detach().view(3, -1)
        wanted = torch.zeros(3, 5 + classes)
        wanted[:, 4], wanted[:, 5:] = math.log(8 / (640 / stride) ** 2), math.log(0.6 / (classes - 0.99))
        torch.testing.assert_close(bias, wanted, rtol=0, atol=1.01 * spread)


@pytest.mark.parametrize("classes", [1, 3])
@pytest.mark.parametrize(("height", "width"), [(32, 32), (64, 96), (160, 32)])
def test_shape(classes: int, height: int, width: int) -> None:
    task = detect(classes)
    pyramid = [torch.randn(2, c, height // s, width // s) for c, s in zip((4, 6, 8), STRIDES, strict=True)]
    raw = task(pyramid)
    assert [tuple(level.shape) for level in raw] == [(2, 3, height // s, width // s, 5 + classes) for s in STRIDES]
    cells = sum((height // s) * (width // s) for s in STRIDES)
    assert task.decode(raw)["rows"].shape == (2, 3 * cells, 5 + classes)


def test_channels_are_anchors_times_values() -> None:
    """The convolution's output a (5 + classes) + c is value c of anchor a."""
    task = detect()
    for head in task.heads:
        conv = head.get_submodule("conv")
        nn.init.zeros_(conv.weight)
        conv.bias.data = torch.arange(24.0)
        nn.init.ones_(head.get_submodule("multiply").knowledge.z)
    for level in task([torch.randn(1, c, 2, 3) for c in (4, 6, 8)]):
        assert torch.equal(level, torch.arange(24.0).view(1, 3, 1, 1, 8).expand(1, 3, 2, 3, 8))


def test_positions_are_kept() -> None:
    task = detect()
    pyramid = [torch.randn(1, c, 2, 3) for c in (4, 6, 8)]
    moved = [level.clone() for level in pyramid]
    moved[1][0, :, 1, 2] += 1
    changed = [(new != old).nonzero()[:, 2:4] for new, old in zip(task(moved), task(pyramid), strict=True)]
    assert len(changed[0]) == len(changed[2]) == 0
    assert changed[1].unique(dim=0).tolist() == [[1, 2]]


@pytest.mark.parametrize(
    ("level", "anchor", "y", "x", "logits", "expected"),
    [
        (0, 0, 0, 0, (0, 0, 0, 0), (4, 4, 12, 16)),
        (0, 2, 5, 9, (0, 0, 0, 0), (76, 44, 40, 28)),
        (1, 1, 3, 2, (1, -1, 0, 0), (48, 48, 76, 55)),
        (2, 2, 1, 0, (0, 0, 1, -1), (16, 48, 459 * 2.25, 401 * 0.25)),
    ],
)
def test_value_decode(level: int, anchor: int, y: int, x: int, logits: tuple, expected: tuple) -> None:
    """A logit of ln 3 is a sigmoid of 3/4, so a centre half a cell further and a side 2.25 times as long."""
    raw = zeros(classes=2)
    raw[level][0, anchor, y, x] = torch.tensor([*logits, 1, 0, -1]) * math.log(3)
    decoded = detect(2).decode(raw)["rows"][0, rows_before(raw, level, anchor, y, x)]
    torch.testing.assert_close(decoded, torch.tensor([*expected, 0.75, 0.5, 0.25]))


def test_rows_are_ordered_by_level_anchor_y_x() -> None:
    raw = zeros(classes=1)
    places = [(i, *map(int, place)) for i, level in enumerate(raw) for place in (level[0, ..., 0] == 0).nonzero()]
    for number, (level, anchor, y, x) in enumerate(places):
        raw[level][0, anchor, y, x, 4] = number / 100
    decoded = detect(1).decode(raw)["rows"][0]
    torch.testing.assert_close(decoded[:, 4], (torch.arange(len(places)) / 100).sigmoid())
    assert all(rows_before(raw, *place) == number for number, place in enumerate(places))
    for (level, anchor, y, x), row in zip(places, decoded, strict=True):
        corner = torch.tensor([x, y]) * STRIDES[level]
        torch.testing.assert_close(row[:2], corner + STRIDES[level] / 2)
        torch.testing.assert_close(row[2:4], torch.tensor(ANCHORS_640[level][anchor], dtype=torch.float32))


@settings(deadline=None)
@given(
    offset=st.tuples(st.floats(-0.45, 1.45), st.floats(-0.45, 1.45)),
    factor=st.tuples(st.floats(0.1, 3.9), st.floats(0.1, 3.9)),
    level=st.integers(0, 2),
)
def test_any_box_near_an_anchor_can_be_said(offset: tuple, factor: tuple, level: int) -> None:
    """Centres up to half a cell outside their cell, sides up to four times their anchor's: the assignment's range."""
    raw, stride = zeros(classes=1), STRIDES[level]
    chances = [*((value + 0.5) / 2 for value in offset), *(math.sqrt(value) / 2 for value in factor)]
    raw[level][0, 1, 1, 2, :4] = torch.tensor(chances).logit()
    row = detect(1).decode(raw)["rows"][0, rows_before(raw, level, 1, 1, 2)]
    width, height = ANCHORS_640[level][1]
    wanted = [(2 + offset[0]) * stride, (1 + offset[1]) * stride, width * factor[0], height * factor[1]]
    torch.testing.assert_close(row[:4], torch.tensor(wanted), rtol=1e-3, atol=1e-2)


def test_anchors_are_not_stored() -> None:
    assert not [name for name in detect().state_dict() if "anchor" in name]
