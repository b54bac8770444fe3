"""Kernel selection: shares of the branches that sum to one, decided by the photograph, and folded batch norms."""

import pytest
import torch
from torch import Tensor, nn
from trained import look_trained

from tacit.nn.fold import fold
from tacit.nn.selection import KernelChoice, SelectiveKernel


@pytest.fixture
def features() -> Tensor:
    return torch.randn(2, 8, 9, 10, generator=torch.Generator().manual_seed(0))


def block_of(kind: type[nn.Module], channels: int = 8) -> nn.Module:
    torch.manual_seed(0)
    return look_trained(kind(channels))


@pytest.mark.parametrize("kind", [KernelChoice, SelectiveKernel])
@pytest.mark.parametrize(("channels", "height", "width"), [(1, 1, 1), (6, 3, 2), (48, 2, 7)])
def test_shape(kind: type[nn.Module], channels: int, height: int, width: int) -> None:
    features = torch.randn(1, channels, height, width)
    assert block_of(kind, channels)(features).shape == features.shape
    assert kind(channels).train()(torch.randn(1, channels, 3, 3)).shape == (1, channels, 3, 3)  # a batch of one


def test_value_of_the_shares(features: Tensor) -> None:
    """With no preference the mean of the branches; with a strong one that branch alone, channel by channel."""
    block = block_of(KernelChoice)
    near, far = (branch(features) for branch in block.branches)
    nn.init.zeros_(block.select.weight)
    nn.init.zeros_(block.select.bias)
    torch.testing.assert_close(block(features), (near + far) / 2)
    block.select.bias.data[:4] = 100.0
    torch.testing.assert_close(block(features)[:, :4], near[:, :4])
    torch.testing.assert_close(block(features)[:, 4:], ((near + far) / 2)[:, 4:])


def test_the_photograph_decides(features: Tensor) -> None:
    """The shares come from the sum of the branches: they differ between photographs and see all of each."""
    block, seen = block_of(KernelChoice), []
    block.select.register_forward_hook(lambda _, __, output: seen.append(output))
    block(features)
    block(features + torch.eye(9, 10)[None, None])
    assert (seen[0][0] - seen[0][1]).abs().max() > 1e-3
    assert (seen[0] - seen[1]).abs().amax(dim=(1, 2, 3)).min() > 1e-4


def test_branches_see_3_and_5_cells_a_side() -> None:
    block, dot = block_of(KernelChoice), torch.zeros(1, 8, 9, 9)
    moved = dot.clone()
    moved[0, :, 4, 4] = 1
    reach = [(branch(moved) != branch(dot)).any(dim=1)[0].nonzero() for branch in block.branches]
    assert [(cells.min(0).values.tolist(), cells.max(0).values.tolist()) for cells in reach] == [
        ([3, 3], [5, 5]),
        ([2, 2], [6, 6]),
    ]


def test_gradient_reaches_every_parameter(features: Tensor) -> None:
    block = SelectiveKernel(8)
    block(features).square().sum().backward()
    assert not [name for name, value in block.named_parameters() if not value.grad.abs().sum() > 0]


def test_every_batch_norm_folds(features: Tensor) -> None:
    block = block_of(SelectiveKernel)
    folded = fold(block)
    assert not [part for part in folded.modules() if isinstance(part, nn.BatchNorm2d)]
    torch.testing.assert_close(folded(features), block(features), rtol=1e-4, atol=1e-5)
