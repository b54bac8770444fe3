"""OpenVINO and nncf without their reports: both tell their makers of every import, unless asked not to.

They ask the environment whether they run for continuous integration, where they are silent; the answer they get while
they are imported holds as long as the process lives. Nothing is written into the home folder either.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager

ASKED = {"CI": "true", "NNCF_CI": "1"}
"""What openvino_telemetry and nncf.telemetry look at."""


@contextmanager
def unreported() -> Iterator[None]:
    """Import either of them inside of this block."""
    before = {name: os.environ.get(name) for name in ASKED}
    os.environ.update(ASKED)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value
