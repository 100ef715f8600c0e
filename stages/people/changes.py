"""When a change from one frame to the next is a sudden one."""

from __future__ import annotations

from collections import deque
from statistics import median

FRAMES_BEFORE = 5
"""Their median change is the usual one."""


class RecentChanges:
    """The last few changes of one thing.

    Args:
        least: a sudden change is larger than this,
        ratio: and larger than the usual one by this factor.
    """

    def __init__(self, least: float, ratio: float) -> None:
        self._least, self._ratio = least, ratio
        self._recent: deque[float] = deque(maxlen=FRAMES_BEFORE)

    def is_sudden(self, change: float) -> bool:
        """Whether a change stands out from those that were added."""
        usual = median(self._recent) if self._recent else 0.0
        return change > max(self._least, self._ratio * usual)

    def add(self, change: float) -> None:
        self._recent.append(change)
