"""The last minute of a live stream, for those who watch it."""

from __future__ import annotations

from collections import deque
from math import isfinite
from typing import Any

from stages.batch import NOBODY, FrameBatch

RECENT_S = 60.0
POINTS_PER_S = 5
MAX_POINTS = 10_000
"""Bounds memory, and what a viewer fetches at first, where a crowd walks by."""


class RecentFaces:
    """Keeps a few faces a second. One thread adds to it while others read.

    Args:
        min_confidence: as in ``SegmentSettings``.
    """

    def __init__(self, min_confidence: float) -> None:
        self._min_confidence = min_confidence
        self._points: deque[dict[str, Any]] = deque(maxlen=MAX_POINTS)
        self._last_s = -1.0

    def take(self, batch: FrameBatch) -> None:
        """Take a finalised batch that is not empty."""
        for index, time_s in enumerate(batch.time_s.tolist()):
            if time_s - self._last_s >= 1 / POINTS_PER_S - 1e-3:
                self._last_s = time_s
                self._points.extend(self._points_of(batch, index))
        while self._points and self._points[0]["time_s"] < batch.time_s[-1] - RECENT_S:
            self._points.popleft()

    def since(self, since_s: float) -> list[dict[str, Any]]:
        """Faces later than a time of the timeline.

        Returns:
            ``time_s``, ``track``, seven ``probabilities``, and whether these are ``low``: not to be
            relied on; ``values`` in the order of ``StreamStatus.outputs``, None for no number.
        """
        return [point for point in list(self._points) if point["time_s"] > since_s]

    def _points_of(self, batch: FrameBatch, index: int) -> list[dict[str, Any]]:
        within = batch.faces_of(index)
        values = batch.values.tolist() or [[]] * len(batch.boxes)  # Without further networks.
        return [
            {
                "time_s": round(float(batch.time_s[index]), 3),
                "track": int(batch.people[face]),
                "probabilities": [round(float(share), 3) for share in batch.probabilities[face]],
                "low": bool(
                    not batch.usable[face] or batch.probabilities[face].max() < self._min_confidence
                ),
                "values": [round(value, 4) if isfinite(value) else None for value in values[face]],
            }
            for face in range(within.start, within.stop)
            if batch.people[face] != NOBODY
        ]
