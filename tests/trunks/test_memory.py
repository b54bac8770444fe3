"""The largest models on an ordinary machine: folded, at their native size, in under 6 GiB."""

import subprocess
import sys

import pytest

PROGRAM = """
import resource, torch
from tacit.zoo import create
network = create({model!r}, 80).fold()
with torch.inference_mode():
    outputs = network(torch.rand(1, 3, {side}, {side}))
assert all(level.isfinite().all() for level in outputs["detect"])
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
"""


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere ru_maxrss has other units, or is not there")
@pytest.mark.parametrize(("model", "side"), [("yolor-d6", 1280), ("yolov4-p7", 1536)])
def test_memory(model: str, side: int) -> None:
    program = PROGRAM.format(model=model, side=side)
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert int(done.stdout) * 1024 < 6 * 2**30
