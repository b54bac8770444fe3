"""The machine: its name where the system keeps it, versions of what is installed."""

import torch

from tacit.bench import machine
from tacit.bench.machine import this_machine


def test_value_of_this_machine():
    found = this_machine()
    assert found.processor
    assert found.threads == torch.get_num_threads()
    assert found.libraries["torch"] == torch.__version__
    assert f"{found.cores} cores" in found.told()
    assert found.processor in found.told()


def test_value_of_a_processor_s_name(tmp_path):
    (tmp_path / "cpuinfo").write_text("processor\t: 0\nmodel name\t: Abacus 9\n\nprocessor\t: 1\nmodel name\t: other\n")
    assert machine._processor(tmp_path / "cpuinfo") == "Abacus 9"
    assert machine._processor(tmp_path / "nothing")


def test_value_a_library_that_is_not_there(monkeypatch):
    monkeypatch.setattr(machine, "LIBRARIES", ("torch", "no-such-library"))
    assert list(this_machine().libraries) == ["tacit", "torch"]
