"""Views of a picture: borders that every network can take, and boxes that come back to where they were."""

import pytest
import torch

from tacit.errors import ConfigError
from tacit.geometry.views import AS_IT_IS, GREY, THREE_VIEWS, View

BOX = (24.0, 40.0, 16.0, 20.0)  # x, y, w, h in pixels of the picture
WIDTH, HEIGHT = 128, 96


def test_the_reference_s_three() -> None:
    assert [(view.scale, view.mirrored) for view in THREE_VIEWS] == [(1, False), (0.83, True), (0.67, False)]
    assert (View(),) == AS_IT_IS == THREE_VIEWS[:1]


def test_as_it_is_copies_nothing() -> None:
    images, rows = torch.rand(1, 3, 64, 64), torch.rand(1, 5, 7)
    assert View().of(images, stride=32) is images
    assert View().back(rows, width=64) is rows


@pytest.mark.parametrize(
    ("shape", "stride", "at_83", "at_67"),
    [
        ((320, 448), 32, (288, 384), (224, 320)),
        ((1280, 1280), 64, (1088, 1088), (896, 896)),  # 864 at 0.67 in the reference, where the P6 models stop
        ((640, 640), 64, (576, 576), (448, 448)),
        ((704, 1344), 64, (640, 1152), (512, 960)),
        ((1664, 1664), 128, (1408, 1408), (1152, 1152)),
    ],
)
def test_shape(shape: tuple[int, int], stride: int, at_83: tuple[int, int], at_67: tuple[int, int]) -> None:
    images = torch.zeros(1, 1, *shape)
    assert [tuple(view.of(images, stride).shape[2:]) for view in THREE_VIEWS] == [shape, at_83, at_67]


def test_value_the_border_is_grey_right_and_below() -> None:
    view = View(scale=0.67).of(torch.ones(2, 3, 64, 96), stride=32)
    assert view.shape == (2, 3, 64, 96)
    inside = torch.zeros(64, 96, dtype=torch.bool)
    inside[:42, :64] = True  # 42.88 and 64.32
    torch.testing.assert_close(view[..., inside], torch.ones(2, 3, 42 * 64))
    assert (view[..., ~inside] == GREY).all()


def test_value_mirrored() -> None:
    images = torch.arange(6.0).reshape(1, 1, 1, 6)
    assert View(mirrored=True).of(images, stride=1).flatten().tolist() == [5, 4, 3, 2, 1, 0]


@pytest.mark.parametrize("view", THREE_VIEWS, ids=str)
def test_boxes_come_back(view: View) -> None:
    """A white box on black, found by its centre of mass in the view, is where it was in the picture."""
    x, y, w, h = BOX
    images = torch.zeros(1, 1, HEIGHT, WIDTH)
    images[..., int(y - h / 2) : int(y + h / 2), int(x - w / 2) : int(x + w / 2)] = 1
    seen = view.of(images, stride=32)[0, 0]
    seen = torch.where(seen == GREY, 0.0, seen)
    rows, columns = torch.arange(seen.shape[0]) + 0.5, torch.arange(seen.shape[1]) + 0.5
    found = [(seen.sum(0) * columns).sum() / seen.sum(), (seen.sum(1) * rows).sum() / seen.sum(), w * view.scale]
    row = torch.tensor([[[*found, h * view.scale, 0.9, 0.1, 0.8]]])
    back = view.back(row, width=WIDTH)
    torch.testing.assert_close(back[0, 0, :4], torch.tensor(BOX), atol=0.5, rtol=0)
    assert torch.equal(back[..., 4:], row[..., 4:])


@pytest.mark.parametrize("scale", [0.0, -1.0, 1.5, float("nan")])
def test_error(scale: float) -> None:
    with pytest.raises(ConfigError, match="times as large"):
        View(scale=scale)
