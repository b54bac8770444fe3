"""Numbers from files that may hold anything in their place."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from jaxtyping import Float64


def number(value: Any) -> float:
    """`value` as a float, NaN when it is no number."""
    try:
        return float(value) if isinstance(value, (int, float)) else math.nan
    except OverflowError:  # an integer beyond every float
        return math.inf


def numbers(values: list[Any]) -> Float64[np.ndarray, " n"]:
    """All of them as floats, NaN for each that is no number."""
    try:
        array = np.array(values)
    except ValueError:  # lists of several lengths
        array = np.empty(0, object)
    if array.ndim == 1 and array.dtype.kind in "iuf":  # all plain, as nearly always: ten times as fast
        return array.astype(np.float64)
    return np.array([number(value) for value in values], np.float64)
