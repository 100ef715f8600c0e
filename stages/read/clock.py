"""When each decoded frame is shown, whatever the file's timestamps are like."""

from __future__ import annotations

import av

NEW_START_S = 1.0
"""Timestamps that fall back by more than this, or to the first one, have begun anew, as in files
put one after another; otherwise a single one is wrong."""


class FrameClock:
    """Presentation timestamps of frames in order, each later than the one before.

    A frame's own presentation timestamp is taken, or its decoding timestamp where there is none, or
    once the former have proved wrong more often: FFmpeg's best-effort rule. Without either, or
    where they begin anew, a frame follows the one before after the usual time.

    Args:
        first: the first frame.
        step: usual time from frame to frame, in units of the timestamps.
        new_start: a fall by more than this is a new start, in the same units.
        only_dts: presentation timestamps are made up, as of AVI, which has none.

    Attributes:
        start_pts: the first frame's timestamp.
    """

    def __init__(
        self, first: av.VideoFrame, step: int, new_start: int, only_dts: bool = False
    ) -> None:
        self._step, self._new_start, self._only_dts = step, new_start, only_dts
        pts = None if only_dts else first.pts
        self.start_pts: int = (first.dts if pts is None else pts) or 0
        self._previous = self.start_pts - 1
        self._following = self.start_pts
        self._shift = 0
        self._wrong_pts = self._wrong_dts = 0
        self._last_pts: int | None = None
        self._last_dts: int | None = None

    def pts_of(self, frame: av.VideoFrame) -> int:
        """The timestamp of the next frame; of the first one, first."""
        stamp = self._best_effort(None if self._only_dts else frame.pts, frame.dts)
        if stamp is None:
            pts = self._following
        else:
            if self._begins_anew(stamp):
                self._shift = self._following - stamp
            pts = stamp + self._shift
        self._previous = max(pts, self._previous + 1)
        self._following = self._previous + self._step
        return self._previous

    def _begins_anew(self, stamp: int) -> bool:
        lag = self._previous - (stamp + self._shift)
        return lag > self._new_start or (lag > self._step and stamp <= self.start_pts)

    def _best_effort(self, pts: int | None, dts: int | None) -> int | None:
        if dts is not None:
            self._wrong_dts += self._last_dts is not None and dts <= self._last_dts
            self._last_dts = dts
        if pts is not None:
            self._wrong_pts += self._last_pts is not None and pts <= self._last_pts
            self._last_pts = pts
        trusted = self._wrong_pts <= self._wrong_dts or dts is None
        return pts if pts is not None and trusted else dts
