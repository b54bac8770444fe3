"""The build of nano at toy size: the shapes of its pyramid, and that all of it is used."""

from dataclasses import replace

import pytest
import torch
from torch import nn
from trained import look_trained

from tacit.nn.batch_norm import BatchNorm
from tacit.nn.blocks import CSP, CSP2, Bottleneck, ConvBNAct
from tacit.nn.knowledge import Knowledge
from tacit.trunks.pyramid import PyramidTrunk
from tacit.zoo import NANO


@pytest.fixture
def trunk() -> PyramidTrunk:
    torch.manual_seed(0)
    return PyramidTrunk(replace(NANO, stages=((4, 1), (8, 2), (12, 3), (16, 1)), neck_depth=2))


@pytest.mark.parametrize(("height", "width"), [(32, 32), (64, 96), (160, 32)])
def test_shape(trunk: PyramidTrunk, height: int, width: int) -> None:
    pyramid = trunk.eval()(torch.rand(2, 3, height, width))
    expected = [(2, c, height // s, width // s) for c, s in zip(trunk.channels, trunk.strides, strict=True)]
    assert [tuple(level.shape) for level in pyramid] == expected
    assert (trunk.channels, trunk.strides) == ((8, 12, 16), (8, 16, 32))


def test_gradient_reaches_every_parameter_and_every_pixel(trunk: PyramidTrunk) -> None:
    images = torch.rand(2, 3, 64, 96, requires_grad=True)
    sum(level.square().sum() for level in trunk(images)).backward()
    assert all(parameter.grad.abs().sum() > 0 for parameter in trunk.parameters())
    assert (images.grad != 0).all()


def test_images_do_not_see_each_other(trunk: PyramidTrunk) -> None:
    images = torch.rand(3, 3, 32, 64)
    look_trained(trunk)
    for together, alone in zip(trunk(images), trunk(images[1:2]), strict=True):
        torch.testing.assert_close(together[1:2], alone)


@pytest.mark.parametrize("stride", [8, 16, 32])
def test_every_level_sees_far(trunk: PyramidTrunk, stride: int) -> None:
    """What stands in the left half matters at the right edge: the pyramid goes down to stride 32 and up again."""
    look_trained(trunk)
    images = torch.rand(1, 3, 64, 256)
    moved = images.clone()
    moved[..., :128] *= 20  # so bright that the pools notice
    old, new = (trunk(each)[trunk.strides.index(stride)][0, :, -1, -1] for each in (images, moved))
    assert (old - new).abs().max() > 1e-3


def test_depths_are_those_asked_for(trunk: PyramidTrunk) -> None:
    backbone = [part for part in trunk.modules() if isinstance(part, CSP)]
    neck = [part for part in trunk.modules() if isinstance(part, CSP2)]
    assert [len(stage.main) for stage in backbone] == [1, 2, 3, 1]
    assert [len(stage.main) for stage in neck] == [2] * 4
    assert all(isinstance(part, Bottleneck) for stage in backbone + neck for part in stage.main)


def test_everything_folds(trunk: PyramidTrunk) -> None:
    """Every convolution has its own batch norm right behind it, and the trunk has no knowledge."""
    blocks = [part for part in trunk.modules() if isinstance(part, ConvBNAct)]
    for kind in (nn.Conv2d, BatchNorm):
        assert len([part for part in trunk.modules() if isinstance(part, kind)]) == len(blocks)
    assert [type(part) for part in blocks[0]] == [nn.Conv2d, BatchNorm, nn.SiLU]
    assert not [part for part in trunk.modules() if isinstance(part, Knowledge)]
