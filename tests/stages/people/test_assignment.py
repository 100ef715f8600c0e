"""The cheapest pairs are those of the Hungarian algorithm, whichever way they are found."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.optimize import linear_sum_assignment

from stages.people.assignment import least_cost_pairs


@pytest.mark.parametrize("shape", [(1, 1), (3, 3), (2, 5), (5, 2), (6, 7), (0, 2)])
def test_pairs_have_the_least_sum(shape: tuple[int, int]) -> None:
    random = np.random.default_rng(1)
    for _ in range(50):
        costs = random.random(shape)
        rows, columns = least_cost_pairs(costs)
        assert costs[rows, columns].sum() == pytest.approx(
            costs[linear_sum_assignment(costs)].sum()
        )
        assert len(set(rows.tolist())) == len(set(columns.tolist())) == len(rows) == min(shape)
        assert (np.diff(rows) > 0).all()
