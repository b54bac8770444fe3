"""The blocks in which every cell sees every other: their equations, their positions, what folds of them."""

import math

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional
from trained import look_trained

from tacit.nn.attention import MapNorm, NonLocal, Transformer, attend, sines
from tacit.nn.fold import fold

BLOCKS = [Transformer, NonLocal]
every_block = pytest.mark.parametrize("kind", BLOCKS)


def block_of(kind: type[nn.Module], channels: int = 8) -> nn.Module:
    torch.manual_seed(0)
    return kind(channels)


@pytest.fixture
def features() -> Tensor:
    return torch.randn(2, 8, 4, 5, generator=torch.Generator().manual_seed(0))


@every_block
@pytest.mark.parametrize(("channels", "height", "width"), [(1, 1, 1), (6, 3, 2), (16, 2, 7), (5, 4, 4)])
def test_shape(kind: type[nn.Module], channels: int, height: int, width: int) -> None:
    features = torch.randn(2, channels, height, width)
    assert block_of(kind, channels)(features).shape == features.shape


@every_block
def test_gradient_reaches_every_parameter(kind: type[nn.Module], features: Tensor) -> None:
    block = look_trained(block_of(kind)).train()
    block(features).pow(3).sum().backward()
    assert not [name for name, value in block.named_parameters() if not value.grad.abs().sum() > 0]


@every_block
def test_every_cell_sees_every_other_and_no_other_photograph(kind: type[nn.Module], features: Tensor) -> None:
    features *= 0.3  # or the softmax sees but one
    block, moved = look_trained(block_of(kind)), features.clone()
    moved[0, :, 1, 2] += 1
    change = (block(moved) - block(features)).abs().amax(dim=1)
    assert (change[0] > 0).all()
    assert (change[1] == 0).all()


def test_value_of_attention() -> None:
    """One cell after another, head by head, as the equation is written."""
    generator = torch.Generator().manual_seed(0)
    query, key, value = torch.randn(3, 2, 6, 2, 3, generator=generator)
    means = attend(query, key, value, heads=2)
    for image in range(2):
        for head in (slice(0, 3), slice(3, 6)):
            q, k, v = (each[image, head].flatten(1) for each in (query, key, value))
            weights = (q.T @ k / math.sqrt(3)).softmax(dim=1)  # cells, cells
            torch.testing.assert_close(means[image, head].flatten(1), (weights @ v.T).T)


def test_value_of_the_non_local_block(features: Tensor) -> None:
    block = look_trained(block_of(NonLocal))
    theta, phi, g = (layer(features).flatten(2) for layer in (block.query, block.key, block.value))
    weights = (theta.transpose(1, 2) @ phi).softmax(dim=2)
    y = (g @ weights.transpose(1, 2)).view(2, 4, 4, 5)
    torch.testing.assert_close(block(features), features + block.spread(y))


def test_a_new_non_local_block_changes_nothing(features: Tensor) -> None:
    assert torch.equal(block_of(NonLocal)(features), features)


def test_value_of_the_transformer_block(features: Tensor) -> None:
    """torch's own encoder layer with the same weights."""
    block = block_of(Transformer)
    theirs = nn.MultiheadAttention(8, block.heads, bias=True, batch_first=True)
    rows = torch.cat([block.compare.weight, block.value.weight]).flatten(1)
    theirs.in_proj_weight.data, theirs.out_proj.weight.data = rows, block.gather.weight.flatten(1)
    theirs.out_proj.bias.data = block.gather.bias
    tokens, where = features.flatten(2).transpose(1, 2), (features + sines(features)).flatten(2).transpose(1, 2)
    middle = block.gathered(features + theirs(where, where, tokens)[0].transpose(1, 2).reshape(features.shape))
    torch.testing.assert_close(block(features), block.done(middle + block.network(middle)), rtol=1e-4, atol=1e-5)


def test_value_of_the_norm(features: Tensor) -> None:
    normed = MapNorm(8)(features * 3 + 2)
    torch.testing.assert_close(normed.mean(dim=1), torch.zeros(2, 4, 5), rtol=0, atol=1e-5)
    torch.testing.assert_close(normed.var(dim=1, correction=0), torch.ones(2, 4, 5), rtol=1e-3, atol=0)


def test_value_of_the_positions() -> None:
    """The second of three rows, the last of four columns: two thirds of a turn, and a whole one."""
    at = sines(torch.zeros(2, 9, 3, 4))[0, :, 1, 3]
    turns = [2 / 3, 2 / 3 / 100, 2 / 3, 2 / 3 / 100, 1, 1 / 100, 1, 1 / 100]
    functions = [math.sin, math.sin, math.cos, math.cos] * 2
    expected = [function(2 * math.pi * turn) for function, turn in zip(functions, turns, strict=True)]
    torch.testing.assert_close(at, torch.tensor([*expected, 0.0]), rtol=0, atol=1e-5)


def test_positions_tell_all_cells_apart() -> None:
    cells = sines(torch.zeros(1, 16, 20, 20))[0].flatten(1).T
    assert torch.pdist(cells).min() > 0.05


def test_what_folds(features: Tensor) -> None:
    """The non-local block's batch norm; nothing of the transformer, which stays as it is."""
    block = look_trained(block_of(NonLocal))
    folded = fold(block)
    assert [type(part) for part in folded.spread] == [nn.Conv2d]
    torch.testing.assert_close(folded(features), block(features), rtol=1e-4, atol=1e-5)
    transformer = block_of(Transformer).eval()
    assert torch.equal(fold(transformer)(features), transformer(features))


@every_block
def test_half_the_precision(kind: type[nn.Module], features: Tensor) -> None:
    block = look_trained(block_of(kind))
    with torch.autocast("cpu", torch.bfloat16):
        rough = block(features)
    assert functional.cosine_similarity(rough.float().flatten(), block(features).flatten(), dim=0) > 0.999
