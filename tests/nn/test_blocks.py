"""The published blocks: stems to the number, and the wiring of the stages."""

from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn
from torch.nn import functional
from trained import look_trained

from tacit.nn.blocks import CSP, CSP2, DWT, SPPCSP, Bottleneck, ConvBNAct, ReOrg

STEM = np.load(Path(__file__).parents[1] / "golden/ops/stem.npz")


@pytest.fixture
def features() -> torch.Tensor:
    return torch.randn(2, 6, 16, 18, generator=torch.Generator().manual_seed(0))


@pytest.mark.parametrize(("stem", "expected"), [(ReOrg(), "reorg"), (DWT(), "dwt")])
def test_value_reference_stems(stem: nn.Module, expected: str) -> None:
    ours = stem(torch.from_numpy(STEM["x"])).numpy()
    np.testing.assert_allclose(ours, STEM[expected], rtol=0, atol=0 if expected == "reorg" else 1e-6)


@settings(deadline=None)
@given(st.integers(1, 3), st.integers(1, 4), st.integers(1, 4))
def test_stems_lose_nothing(channels: int, height: int, width: int) -> None:
    image = torch.rand(2, channels, 2 * height, 2 * width, generator=torch.Generator().manual_seed(0))
    mean, detail = DWT()(image).split([channels, 3 * channels], dim=1)
    rows, columns, diagonals = (detail - 0.5).unflatten(1, (channels, 3)).unbind(2)
    upper_left = mean + rows + columns + diagonals
    torch.testing.assert_close(upper_left, image[..., ::2, ::2])
    torch.testing.assert_close(mean + rows - columns - diagonals, image[..., ::2, 1::2])
    assert torch.equal(ReOrg()(image).flatten().sort().values, image.flatten().sort().values)


@pytest.mark.parametrize("kernel", [1, 3, 5])
@pytest.mark.parametrize("stride", [1, 2])
def test_shape_of_a_convolution(kernel: int, stride: int, features: torch.Tensor) -> None:
    assert ConvBNAct(6, 10, kernel, stride)(features).shape == (2, 10, 16 // stride, 18 // stride)


def test_convolution_is_the_published_one(features: torch.Tensor) -> None:
    block = look_trained(ConvBNAct(6, 4, 3))
    assert block.conv.bias is None
    assert (block.bn.eps, block.bn.momentum) == (1e-4, 0.03)
    plain = functional.conv2d(features, block.conv.weight, padding=1)
    mean, spread = block.bn.running_mean.view(-1, 1, 1), (block.bn.running_var + 1e-4).sqrt().view(-1, 1, 1)
    normal = (plain - mean) / spread * block.bn.weight.view(-1, 1, 1) + block.bn.bias.view(-1, 1, 1)
    torch.testing.assert_close(block(features), normal * normal.sigmoid())


@pytest.mark.parametrize("block", [CSP(6, 8, 2), CSP2(6, 8, 2), SPPCSP(6, 8)])
def test_shape_and_gradient(block: nn.Module, features: torch.Tensor) -> None:
    answer = block(features)
    assert answer.shape == (2, 8, 16, 18)
    answer.square().sum().backward()
    assert all(parameter.grad.abs().sum() > 0 for parameter in block.parameters())


@pytest.mark.parametrize(
    ("block", "branches"),
    [
        (CSP(6, 8, 2), lambda block, x: (block.main(block.enter(x)), block.bypass(x))),
        (CSP2(6, 8, 2), lambda block, x: (block.main(block.enter(x)), block.bypass(block.enter(x)))),
    ],
)
def test_stages_merge_main_and_bypass(block: nn.Module, branches, features: torch.Tensor) -> None:
    look_trained(block)
    torch.testing.assert_close(block(features), block.merge(torch.cat(branches(block, features), dim=1)))
    assert len(block.main) == 2
    assert {part.shortcut for part in block.main} == {isinstance(block, CSP)}


@pytest.mark.parametrize("shortcut", [True, False])
def test_bottleneck_shortcut(shortcut: bool, features: torch.Tensor) -> None:
    block = look_trained(Bottleneck(6, shortcut=shortcut))
    nn.init.zeros_(block.spread.bn.weight)
    nn.init.zeros_(block.spread.bn.bias)
    assert torch.equal(block(features), features if shortcut else torch.zeros_like(features))


def test_pyramid_pools_13_9_and_5(features: torch.Tensor) -> None:
    block, seen = look_trained(SPPCSP(6, 4)), []
    block.mix.register_forward_pre_hook(lambda _, inputs: seen.append(inputs[0]))
    block(features)
    entered = block.enter(features)
    pools = [functional.max_pool2d(entered, size, stride=1, padding=size // 2) for size in (13, 9, 5)]
    torch.testing.assert_close(seen[0], torch.cat([*pools, entered], dim=1), rtol=0, atol=0)
