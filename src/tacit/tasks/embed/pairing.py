"""The best pairing of two groups, one to one (the Hungarian method, Kuhn 1955, by shortest augmenting paths)."""

from __future__ import annotations

import numpy as np
from jaxtyping import Bool, Float, Float64, Int64


def best_pairs(
    value: Float[np.ndarray, "n m"], allowed: Bool[np.ndarray, "n m"]
) -> tuple[Int64[np.ndarray, " pairs"], Int64[np.ndarray, " pairs"]]:
    """Rows and columns of the allowed pairs with the greatest sum of values; values of allowed pairs are above 0."""
    gain = np.where(allowed, value, 0.0).astype(np.float64)
    turned = gain.shape[0] > gain.shape[1]
    columns = _assign(-gain.T if turned else -gain)
    pair = np.arange(len(columns)), columns
    rows, columns = pair[::-1] if turned else pair
    real = allowed[rows, columns]
    return rows[real], columns[real]


def _assign(cost: Float64[np.ndarray, "n m"]) -> Int64[np.ndarray, " n"]:
    """The column of each row at the least total cost; n <= m. Rows and columns count from 1 in here, 0 is nobody."""
    rows, columns = cost.shape
    row_price, column_price = np.zeros(rows + 1), np.zeros(columns + 1)
    owner, origin = np.zeros(columns + 1, np.int64), np.zeros(columns + 1, np.int64)
    for row in range(1, rows + 1):
        owner[0], column = row, 0
        least, used = np.full(columns + 1, np.inf), np.zeros(columns + 1, bool)
        while owner[column]:
            used[column] = True
            free = np.flatnonzero(~used)
            reduced = cost[owner[column] - 1, free - 1] - row_price[owner[column]] - column_price[free]
            better = reduced < least[free]
            least[free[better]], origin[free[better]] = reduced[better], column
            following = int(free[least[free].argmin()])
            step = least[following]
            row_price[owner[used]] += step
            column_price[used] -= step
            least[free] -= step
            column = following
        while column:  # along the path back, everybody moves on by one
            owner[column], column = owner[origin[column]], int(origin[column])
    assigned = np.empty(rows, np.int64)
    taken = np.flatnonzero(owner[1:])
    assigned[owner[1:][taken] - 1] = taken
    return assigned
