"""What the processor that calculates can do by itself."""

from __future__ import annotations

from functools import cache

import torch

CPU = torch.device("cpu")
BFLOAT16_FROM = 8.0
"""GFLOPs of a pass from which bfloat16 pays on a CPU that gains from it: nano, which only loses, has 2 at 416 pixels,
yolor-s4-s2d 16 at 640 pixels, yolor-csp 30 where it trains at 320."""


@cache
def has_bfloat16(device: torch.device = CPU) -> bool:
    """Whether `device` multiplies bfloat16 natively: a CPU with AVX512-BF16, AMX or ARM's BF16, a GPU from Ampere on.

    Others only imitate it, which is slower than float32.
    """
    if device.type == "cuda":
        with torch.cuda.device(device):
            return bool(torch.cuda.is_bf16_supported(including_emulation=False))
    return device.type == "cpu" and any(_instructions().get(name) for name in ("avx512_bf16", "amx_bf16", "bf16"))


@cache
def gains_from_bfloat16(device: torch.device = CPU) -> bool:
    """Whether that is faster than float32, too: on CPUs of Intel only where AMX does it.

    Their AVX512-BF16 alone, all that many virtual machines have of it, multiplies at half the rate of float32: 80 to
    150 GFLOP/s a core in convolutions, on a Xeon of the fifth generation.
    """
    told = _instructions() if device.type == "cpu" else {}
    slow = device.type == "cpu" and "Intel" in str(told.get("cpu_name", "")) and not told.get("amx_bf16")
    return has_bfloat16(device) and not slow


def _instructions() -> dict[str, bool | int | str]:
    """The CPU's name and its instruction sets by theirs; before torch 2.10 it tells of one only."""
    told = getattr(torch.cpu, "get_capabilities", None)
    return dict(told()) if told else {"avx512_bf16": torch.cpu._is_avx512_bf16_supported()}  # noqa: SLF001
