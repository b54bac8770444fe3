"""The trunk of the published models: its wiring at toy size, in every style, and that all of it is used."""

from dataclasses import replace

import pytest
import torch
from torch import Tensor, nn
from trained import look_trained

from tacit.nn.attention import NonLocal, Transformer
from tacit.nn.blocks import CSP, DWT, Bottleneck, DownC, Halve
from tacit.nn.fold import fold
from tacit.nn.selection import SelectiveKernel
from tacit.nn.style import MISH, PAPER
from tacit.trunks.pyramid import Plan, PyramidTrunk

TOY = Plan(stem=4, stages=((8, 1), (8, 2), (12, 1), (16, 1)), levels=3, neck_depth=1, reorganised=1, tail=True)
TOYS = {
    "cfg": replace(TOY, reorganised=0, levels=2),
    "reorganised": TOY,
    "paper": replace(TOY, style=PAPER),
    "paper with DownC": replace(TOY, style=PAPER, down=DownC, tail=False),
    "wavelets, no convolution": replace(TOY, reorganise=DWT, reorganised=2, stem=None, down_first=False),
    "Mish, residual first": replace(TOY, style=MISH, residual_first=True, pool_depth=2),
    "transformer": replace(TOY, mixer=Transformer),
    "kernel selection": replace(TOY, mixer=SelectiveKernel),
}
every_toy = pytest.mark.parametrize("plan", TOYS.values(), ids=TOYS)


@pytest.fixture
def images() -> Tensor:
    return torch.rand(2, 3, 64, 96, generator=torch.Generator().manual_seed(0))


def trunk_of(plan: Plan) -> PyramidTrunk:
    torch.manual_seed(0)
    return PyramidTrunk(plan)


@every_toy
def test_shape(plan: Plan, images: Tensor) -> None:
    trunk = trunk_of(plan)
    expected = [(2, c, 64 // s, 96 // s) for c, s in zip(trunk.channels, trunk.strides, strict=True)]
    assert [tuple(level.shape) for level in trunk(images)] == expected
    assert len(expected) == plan.levels
    assert trunk.strides == ((8, 16) if plan.reorganised == 0 else (8, 16, 32))


@every_toy
def test_gradient_reaches_every_parameter_and_every_pixel(plan: Plan, images: Tensor) -> None:
    trunk = trunk_of(plan)
    sum(level.square().sum() for level in trunk(images.requires_grad_())).backward()
    assert not [name for name, value in trunk.named_parameters() if not value.grad.abs().sum() > 0]
    assert (images.grad != 0).all()


@every_toy
def test_images_do_not_see_each_other(plan: Plan, images: Tensor) -> None:
    trunk = look_trained(trunk_of(plan))
    for together, alone in zip(trunk(images), trunk(images[1:]), strict=True):
        torch.testing.assert_close(together[1:], alone, rtol=1e-4, atol=1e-4)


def test_styles_are_as_named() -> None:
    for plan in TOYS.values():
        norms = [part for part in trunk_of(plan).modules() if isinstance(part, nn.BatchNorm2d)]
        assert {norm.eps for norm in norms} == {plan.style.eps}
        assert {norm.momentum for norm in norms} == {0.03}
        activations = {type(part) for part in trunk_of(plan).modules() if isinstance(part, nn.SiLU | nn.Mish)}
        assert activations == {plan.style.activation}


def test_joint_style_normalises_where_branches_join(images: Tensor) -> None:
    stage = look_trained(CSP(3, 8, 1, tail=True, style=PAPER))
    both = torch.cat([stage.main(stage.enter(images)), stage.bypass(images)], dim=1)
    torch.testing.assert_close(stage(images), stage.merge(nn.functional.silu(stage.join.norm(both))))
    assert type(stage.bypass) is type(stage.main[-1]) is nn.Conv2d


def test_first_stage_may_be_a_bottleneck_over_half_of_its_width() -> None:
    down, first = trunk_of(TOYS["Mish, residual first"]).stages[0]
    assert isinstance(down, Halve)
    assert isinstance(first, Bottleneck)
    assert (first.reduce.conv.out_channels, first.spread.conv.out_channels) == (4, 8)


def test_down_c_halves_in_two_ways(images: Tensor) -> None:
    down = look_trained(DownC(3, 10, PAPER))
    answer = down(images)
    assert answer.shape == (2, 10, 32, 48)
    pooled = nn.functional.max_pool2d(images, 2)
    torch.testing.assert_close(answer, torch.cat([down.strided(images), down.pooled[1](pooled)], dim=1))
    assert (down.strided[0].conv.stride, down.strided[1].conv.stride) == ((1, 1), (2, 2))


@pytest.mark.parametrize("mixer", [Transformer, NonLocal, SelectiveKernel])
def test_a_mixer_ends_the_last_stage_alone(mixer: type[nn.Module], images: Tensor) -> None:
    trunk = look_trained(trunk_of(replace(TOY, mixer=mixer)))
    assert [type(part) for part in trunk.modules() if isinstance(part, mixer)] == [mixer]
    assert isinstance(trunk.stages[-1][-1], mixer)
    folded = fold(trunk)
    assert not [part for part in folded.modules() if isinstance(part, nn.BatchNorm2d)]
    for ours, theirs in zip(folded(images), trunk(images), strict=True):
        torch.testing.assert_close(ours, theirs, rtol=1e-3, atol=1e-3)


def test_without_a_mixer_nothing_is_another() -> None:
    """A new non-local block changes nothing, and it draws its numbers without a trace in the layers before it."""
    plain, mixed = trunk_of(TOY).state_dict(), trunk_of(replace(TOY, mixer=NonLocal)).state_dict()
    before = [name for name in plain if name.startswith(("stem", "stages"))]
    assert all(torch.equal(plain[name], mixed[name]) for name in before)
    assert set(plain) < set(mixed)
