"""Detect cuts from one shot to another."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import replace
from statistics import median

import numpy as np
from numpy.typing import NDArray

from stages.batch import FrameBatch
from stages.geometry import thumbnail

FRAMES_BEFORE = 5
"""Their median change is the usual one."""


MIN_CHANGE = 15.0
"""Least mean absolute difference of brightness (0 to 255) between the frames on either side."""

MIN_CHANGE_RATIO = 3.0
"""The difference is at least this many times the usual one: fast motion is no cut."""

FLASH_S = 0.15
"""A picture that comes back within this time after a change was interrupted by a flash, not cut."""

Thumbnail = tuple[float, NDArray[np.int16]]
"""Time of a frame in seconds, and the frame as of ``thumbnail``."""


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


class CutStage:
    """Fills ``cuts``: compares each frame with the one before it, as small grey pictures.

    A flash that ends within its batch is no cut. One that does not looks like a cut when it begins.
    """

    def __init__(self) -> None:
        self._last: Thumbnail | None = None
        self._before_change: Thumbnail | None = None
        self._changes = RecentChanges(MIN_CHANGE, MIN_CHANGE_RATIO)

    def process(self, batch: FrameBatch) -> FrameBatch:
        pictures = [thumbnail(frame) for frame in batch.pixels]
        frames = list(zip(batch.time_s.tolist(), pictures, strict=True))
        cuts = [self._is_cut(frames[index:]) for index in range(len(frames))]
        return replace(batch, cuts=np.array(cuts, bool))

    def _is_cut(self, frames: Sequence[Thumbnail]) -> bool:
        """Whether the first of some frames begins a shot; the others follow it."""
        last, self._last = self._last, frames[0]
        if last is None:
            return False
        change = _difference(frames[0], last)
        sudden = self._changes.is_sudden(change)
        self._changes.add(change)
        if not sudden:
            return False
        before, self._before_change = self._before_change, last
        if before is not None and _comes_back(before, frames[:1]):
            return False
        return not _comes_back(last, frames[1:])


def _difference(one: Thumbnail, other: Thumbnail) -> float:
    return float(np.abs(one[1] - other[1]).mean())


def _comes_back(frame: Thumbnail, later: Sequence[Thumbnail]) -> bool:
    """Whether a picture is seen again soon after it, in one of some later frames."""
    return any(
        other[0] - frame[0] <= FLASH_S and _difference(other, frame) <= MIN_CHANGE
        for other in later
    )
