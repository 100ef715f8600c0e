"""Until when each frame is shown: until the next one. Figures over time weight frames by this."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from statistics import median

import numpy as np

RECENT_FRAMES = 9
"""A frame without a next one is shown for the usual time of so many before it."""


def shown_until_s(time_s: np.ndarray, gaps_s: Sequence[float] = ()) -> np.ndarray:
    """The time of the next frame.

    The last frame, and the last one before a gap in a live stream, are shown for as long as those
    before them usually are.

    Args:
        time_s: (n,) float64, times of all frames, in order.
        gaps_s: times at which the stream was lost.

    Returns:
        (n,) float64, in seconds; a frame that is alone has no duration.
    """
    if not len(time_s):
        return time_s
    until_s = np.append(time_s[1:], time_s[-1])
    before_gaps = np.searchsorted(time_s, np.asarray(gaps_s, np.float64), side="right") - 1
    without_next = np.unique(np.append(before_gaps[before_gaps >= 0], len(time_s) - 1))
    has_next = np.ones(len(time_s), bool)
    has_next[without_next] = False
    for frame in without_next:
        recent = np.flatnonzero(has_next[:frame])[-RECENT_FRAMES:]
        until_s[frame] = time_s[frame] + usual_s((time_s[recent + 1] - time_s[recent]).tolist())
    return until_s


def usual_s(intervals_s: Iterable[float]) -> float:
    """The median interval between frames; 0 if there is none."""
    return float(median(intervals_s or [0.0]))
