"""The table: every engine in every precision answers every task as torch in float32 does, within one table of limits.

The bundled weights are judged in all of them. A small network that was never trained is held to float32 alone: it finds
hundreds of boxes that are nearly as good as each other, and every rounding leaves other ones over.
"""

from concurrent.futures import ThreadPoolExecutor

import pytest
import torch
from seven import network_of_seven, record_of_seven
from small_export import SMALL

from tacit.api import load
from tacit.runtime.agreement import Gap, gaps, too_far
from tacit.runtime.engine import Precision
from tacit.runtime.onnx_file import read_onnx
from tacit.runtime.probe import seen
from tacit.runtime.ways import WAYS
from tacit.runtime.wish import EngineKind
from tacit.tasks.known import KNOWN


def require(way):
    if not way.installed():
        pytest.skip(f"{way.kind.value} is not installed")


def check(network, record, exact, engine):
    """Something was said of every task, and none of it is too far away."""
    assert list(network.tasks) == list(KNOWN)
    found = gaps(exact, seen(network, record.classes, record.input_size, engine))
    assert set(found) == set(Gap)
    assert too_far(found, engine.precision) == {}, found


@pytest.fixture(scope="module")
def small():
    """A folded network, its record, and what torch says in float32."""
    network, record = network_of_seven().fold(), record_of_seven()
    return network, record, seen(network, record.classes, record.input_size, None)


def engine_of(way, small):
    """Of the small network; for other libraries than torch as it was exported."""
    require(way)
    network, record, _ = small
    return way.build(network, record) if way.kind is EngineKind.TORCH else way.run(read_onnx(SMALL)[0])


@pytest.mark.parametrize("way", [way for way in WAYS if way.precision is Precision.FP32], ids=str)
def test_value_a_small_network(way, small):
    check(*small, engine_of(way, small))


@pytest.fixture
def two_threads():
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    yield
    torch.set_num_threads(before)


@pytest.mark.parametrize("way", [way for way in WAYS if way.precision is Precision.FP32], ids=str)
def test_value_passes_side_by_side(way, small, two_threads):
    """Threads that calculate alone get what they get one after the other, each for its own batch."""
    require(way)
    engine = engine_of(way, small)
    assert engine.at_once == 2
    batches = [torch.rand(1 + number % 2, 3, 64, 64 + 32 * (number % 3)) for number in range(24)]
    with ThreadPoolExecutor(2, initializer=torch.set_num_threads, initargs=(1,)) as threads:
        together = list(threads.map(engine, batches))
        alone = [threads.submit(engine, batch).result() for batch in batches]
    torch.testing.assert_close(together, alone, rtol=0, atol=0)
    torch.testing.assert_close(together, [engine(batch) for batch in batches], rtol=1e-4, atol=1e-3)  # other sums


@pytest.fixture(scope="module")
def bundled(tmp_path_factory):
    """The same of the weights that come with tacit, which are exported once for all engines."""
    network, record = load().network.fold(), load().record
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TACIT_CACHE", str(tmp_path_factory.mktemp("cache")))
        yield network, record, seen(network, record.classes, record.input_size, None)


@pytest.mark.slow  # exporting takes most of it
@pytest.mark.parametrize("way", WAYS, ids=str)
def test_value_the_bundled_weights(way, bundled):
    require(way)
    network, record, _ = bundled
    check(*bundled, way.build(network, record))
