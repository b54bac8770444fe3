"""Processes that train together on one batch: how many, and sums over them."""

from __future__ import annotations

from torch import Tensor, distributed
from torch.distributed.nn.functional import all_reduce


def processes() -> int:
    """How many processes train together; 1 where nothing is distributed."""
    return distributed.get_world_size() if distributed.is_available() and distributed.is_initialized() else 1


def sum_over_processes(values: Tensor) -> Tensor:
    """The sum of every process's `values`, with gradients; the values themselves where there is one process."""
    if processes() == 1:
        return values
    total: Tensor = all_reduce(values)  # type: ignore[no-untyped-call]  # torch leaves it untyped
    return total
