"""Numbers from files that may hold anything in their place."""

from __future__ import annotations

import math
from typing import Any


def number(value: Any) -> float:
    """`value` as a float, NaN when it is no number."""
    try:
        return float(value) if isinstance(value, (int, float)) else math.nan
    except OverflowError:  # an integer beyond every float
        return math.inf
