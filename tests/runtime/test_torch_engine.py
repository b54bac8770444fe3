"""The engine that is always there: the network to the bit, or a copy of it in bfloat16 that answers in float32."""

import pytest
import torch
from seven import network_of_seven

from tacit.runtime.engine import Precision
from tacit.runtime.torch_engine import TorchEngine


@pytest.fixture(scope="module")
def network():
    return network_of_seven().fold()


@pytest.fixture
def batch():
    return torch.rand(2, 3, 64, 96, generator=torch.Generator().manual_seed(0))


def test_value_float32_is_the_network_itself(network, batch):
    engine = TorchEngine(network)
    assert engine.network is network
    with torch.inference_mode():
        exact = network.decode(network(batch))
    for task, parts in engine(batch).items():
        for part, values in parts.items():
            assert torch.equal(values, exact[task][part])


def test_shape_bfloat16_answers_in_float32(network, batch):
    engine, exact = TorchEngine(network, Precision.BF16), TorchEngine(network)(batch)
    for task, parts in engine(batch).items():
        for part, values in parts.items():
            assert values.dtype == (torch.int64 if part == "tokens" else torch.float32)
            assert values.shape == exact[task][part].shape
    rows, true = engine(batch)["detect"]["rows"], exact["detect"]["rows"]
    assert 0 < (rows - true).norm() / true.norm() < 0.05


def test_value_bfloat16_is_a_copy(network):
    before = {name: value.clone() for name, value in network.state_dict().items()}
    engine = TorchEngine(network, Precision.BF16)
    assert next(engine.network.parameters()).dtype == torch.bfloat16
    assert all(torch.equal(value, before[name]) for name, value in network.state_dict().items())
    assert engine.device == torch.device("cpu")
