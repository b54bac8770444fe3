"""A process that has used OpenVINO still hears signals: Ctrl-C, and a worker that ends."""

import sys

import pytest
from commands import child

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="there are no such signals")

ENGINES = """
import torch, tacit
from tacit.runtime.exports import exported
from tacit.runtime.openvino_engine import OpenVinoEngine

torch.manual_seed(0)
model = tacit.create("debug", ["cup"])
content = exported(model.network.fold(), model.record)
first, second = OpenVinoEngine(content), OpenVinoEngine(content)
for engine in (first, second):
    engine(torch.rand(1, 3, 64, 64))
del first
del second, engine
"""

INT8 = """
import numpy as np, torch, tacit
from tacit.runtime.exports import exported
from tacit.runtime.openvino_engine import OpenVinoEngine, read_model
from tacit.runtime.quantise import quantised

torch.manual_seed(0)
model = tacit.create("debug", ["cup"])
pictures = [np.random.default_rng(0).random((1, 3, 64, 64), np.float32) for _ in range(4)]
small = quantised(read_model(exported(model.network.fold(), model.record)), pictures)
OpenVinoEngine(small)(torch.rand(1, 3, 64, 64))
del small
"""

HEARS = """
import gc, os, signal
gc.collect()
heard = []
signal.signal(signal.SIGUSR1, lambda *_: heard.append("it"))
os.kill(os.getpid(), signal.SIGUSR1)
print(*heard)
"""


@pytest.mark.slow
@pytest.mark.parametrize(("package", "program"), [("openvino", ENGINES), ("nncf", INT8)], ids=["engines", "int8"])
def test_value_signals_are_heard_afterwards(package, program, tmp_path):
    pytest.importorskip(package)
    done = child("-X", "faulthandler", "-c", program + HEARS, XDG_CACHE_HOME=str(tmp_path))
    assert (done.returncode, done.stdout) == (0, "it\n"), done.stderr
