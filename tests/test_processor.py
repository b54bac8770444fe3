"""What is asked of the processor, on made-up ones and on this one."""

from pathlib import Path

import pytest
import torch

from tacit import processor

CPUINFO = Path("/proc/cpuinfo")


@pytest.fixture
def fresh():
    """The answer is remembered for the life of a process: forget it around a test that changes the processor."""
    asked = (processor.has_bfloat16, processor.gains_from_bfloat16)
    for one in asked:
        one.cache_clear()
    yield
    for one in asked:
        one.cache_clear()


@pytest.mark.parametrize(
    ("sets", "native"),
    [
        ({"avx2": True, "avx512_f": True}, False),
        ({"avx512_f": True, "avx512_bf16": True}, True),
        ({"avx512_bf16": False, "amx_bf16": True}, True),
        ({"neon": True, "bf16": True}, True),
        ({"neon": True, "bf16": False}, False),
    ],
)
def test_bfloat16_is_a_matter_of_instruction_sets(monkeypatch, fresh, sets, native):
    monkeypatch.setattr(processor, "_instructions", lambda: sets)
    assert processor.has_bfloat16() is native


@pytest.mark.parametrize(
    ("told", "gains"),
    [
        ({"cpu_name": "Intel Xeon", "avx512_bf16": True, "amx_bf16": False}, False),
        ({"cpu_name": "Intel Xeon", "avx512_bf16": True, "amx_bf16": True}, True),
        ({"cpu_name": "AMD EPYC", "avx512_bf16": True}, True),
        ({"cpu_name": "ARM Neoverse", "bf16": True}, True),
        ({"cpu_name": "AMD EPYC", "avx512_bf16": False}, False),
    ],
)
def test_bfloat16_is_slow_on_intel_without_amx(monkeypatch, fresh, told, gains):
    monkeypatch.setattr(processor, "_instructions", lambda: told)
    assert processor.gains_from_bfloat16() is gains


@pytest.mark.parametrize("ampere", [True, False])
def test_a_gpu_is_asked_without_its_imitation(monkeypatch, fresh, ampere):
    asked = []
    monkeypatch.setattr(torch.cuda, "device", lambda device: asked.append(device) or torch.inference_mode(False))
    monkeypatch.setattr(torch.cuda, "is_bf16_supported", lambda including_emulation: ampere or including_emulation)
    assert processor.has_bfloat16(torch.device("cuda", 0)) is ampere
    assert asked == [torch.device("cuda", 0)]


def test_other_devices_have_none(fresh):
    assert not processor.has_bfloat16(torch.device("meta"))


@pytest.mark.skipif(not CPUINFO.is_file(), reason="the kernel tells its instruction sets on Linux only")
def test_this_processor_as_the_kernel_sees_it(fresh):
    words = set(CPUINFO.read_text().split())
    assert processor.has_bfloat16() is bool(words & {"avx512_bf16", "amx_bf16", "bf16"})
