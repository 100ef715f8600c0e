"""Runs of equal labels, and what becomes of those that are too short."""

from __future__ import annotations

from heapq import heapify, heappop, heappush

import numpy as np


def joined_runs(labels: np.ndarray, times_s: np.ndarray, min_s: float) -> list[int]:
    """Where runs of equal labels begin once short ones have joined others, in O(k log k).

    The shortest run takes the label of the longer of its neighbours and becomes one run with those
    that have it, until none is shorter than ``min_s``. Of equally long runs the first is chosen.

    Args:
        labels: (k,) int, k > 0.
        times_s: (k + 1,) float64, when each label begins, and when the last one ends.
        min_s: in seconds.

    Returns:
        The index of each run's first label, and k.
    """
    begins = [0, *(np.flatnonzero(np.diff(labels)) + 1).tolist()]
    label_of = labels[begins].tolist()
    bounds_s = times_s[[*begins, len(labels)]].tolist()
    # A run is known by the number of its first part; before[run] and after[run] are beside it.
    count = len(begins)
    before, after = list(range(-1, count - 1)), list(range(1, count + 1))

    def length_s(run: int) -> float:
        return bounds_s[after[run]] - bounds_s[run]

    def absorb(run: int, following: int) -> None:
        after[run] = after[following]
        if after[run] < count:
            before[after[run]] = run
        absorbed[following] = True

    absorbed = [False] * count
    shortest = [(length_s(run), run) for run in range(count)]
    heapify(shortest)
    while shortest:
        lasted_s, run = heappop(shortest)
        if absorbed[run] or lasted_s != length_s(run):
            continue  # It has grown since.
        beside = [other for other in (before[run], after[run]) if 0 <= other < count]
        if lasted_s >= min_s or not beside:
            break
        label_of[run] = label_of[max(beside, key=length_s)]
        for other in (after[run], before[run]):
            if 0 <= other < count and label_of[other] == label_of[run]:
                first, second = min(run, other), max(run, other)
                absorb(first, second)
                run = first
        heappush(shortest, (length_s(run), run))
    return [*(begins[run] for run in range(count) if not absorbed[run]), len(labels)]
