"""Pair the rows of a matrix with its columns at the least cost."""

from __future__ import annotations

import numpy as np


def least_cost_pairs(costs: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Pairs of the least sum, as many as the shorter side has, none sharing a row or a column.

    Where the cheapest choice of each is free, as nearly always, these are the pairs. Only otherwise
    is the Hungarian algorithm needed, with SciPy, which takes longer to import than all stages.

    Args:
        costs: (r, c), finite.

    Returns:
        Rows and columns of the pairs, each (min(r, c),) int64; rows ascend.
    """
    if costs.shape[0] > costs.shape[1]:
        columns, rows = least_cost_pairs(costs.T)
        order = np.argsort(rows)
        return rows[order], columns[order]
    columns = costs.argmin(axis=1)
    if len(set(columns.tolist())) == len(columns):
        return np.arange(len(columns)), columns
    from scipy.optimize import linear_sum_assignment

    rows, columns = linear_sum_assignment(costs)
    return rows, columns
