"""Nothing is told over the network by libraries that would, and the environment is as it was."""

import os

import pytest
from commands import child

from tacit.runtime.silence import ASKED, unreported

CODE = """
from tacit.runtime.silence import unreported
with unreported():
    import openvino
from openvino_telemetry import Telemetry
assert not Telemetry().consent
"""


def test_value_openvino_keeps_to_itself(tmp_path):
    pytest.importorskip("openvino_telemetry")
    done = child("-c", CODE, HOME=str(tmp_path), CI="")
    assert done.returncode == 0, done.stderr
    assert list(tmp_path.iterdir()) == []


def test_value_the_environment_is_as_before(monkeypatch):
    monkeypatch.setenv("CI", "no")
    monkeypatch.delenv("NNCF_CI", raising=False)
    with unreported():
        assert {name: os.environ[name] for name in ASKED} == ASKED
    assert os.environ["CI"] == "no"
    assert "NNCF_CI" not in os.environ
