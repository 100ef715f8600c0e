"""When each decoded frame is shown, whatever the file's timestamps are like."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import chain, pairwise

import av

SEEN_TOGETHER_S = 1.0
"""Frames less than this apart may follow one another directly; a timestamp that is further off
between two such frames is wrong."""


class FrameClock:
    """Presentation timestamps of frames in order, each later than the one before.

    A frame's own presentation timestamp is taken, or its decoding timestamp where there is none, or
    once the former have proved wrong more often: FFmpeg's best-effort rule. Of two that are not in
    order, the one that fits those around it is right. Where they fall back and go on from there,
    they have begun anew, as in files put one after another. There, and without any, a frame follows
    the one before after the usual time.

    Args:
        first: the first frame.
        step: usual time from frame to frame, in units of the timestamps.
        seen_together: ``SEEN_TOGETHER_S``, in the same units.
        only_dts: presentation timestamps are made up, as of AVI, which has none.

    Attributes:
        start_pts: the first frame's timestamp.
    """

    def __init__(
        self, first: av.VideoFrame, step: int, seen_together: int, only_dts: bool = False
    ) -> None:
        self._step, self._seen_together, self._only_dts = step, seen_together, only_dts
        pts = None if only_dts else first.pts
        self.start_pts: int = (first.dts if pts is None else pts) or 0
        self._previous = self.start_pts - step
        self._shift = self._shift_before = 0
        self._wrong_pts = self._wrong_dts = 0
        self._last_pts: int | None = None
        self._last_dts: int | None = None

    def timed(self, frames: Iterable[av.VideoFrame]) -> Iterator[tuple[av.VideoFrame, int]]:
        """All frames, each with its timestamp; one frame is held back, to know the next."""
        stamped = ((frame, self._best_effort(frame)) for frame in frames)
        for (frame, stamp), (_, following) in pairwise(chain(stamped, [(None, None)])):
            assert frame is not None
            self._previous = max(self._time(stamp, following), self._previous + 1)
            yield frame, self._previous

    def _time(self, stamp: int | None, following: int | None) -> int:
        """When a frame is shown, given its own timestamp and that of the next one."""
        expected = self._previous + self._step
        if stamp is None:
            return expected
        if abs(stamp + self._shift_before - expected) <= self._step:
            self._shift = self._shift_before  # It was no new start.
        at = stamp + self._shift
        if following is None:
            return at if at > self._previous else expected
        next_at = following + self._shift
        if self._previous < at <= next_at:
            return at
        if self._previous < next_at <= self._previous + self._seen_together:
            next_is_wrong = next_at < at and at - expected <= abs(next_at - expected - self._step)
            return at if next_is_wrong else min(expected, (self._previous + next_at) // 2)
        if at > self._previous:
            return at
        if following > stamp:
            self._shift_before, self._shift = self._shift, expected - stamp
        return expected

    def _best_effort(self, frame: av.VideoFrame) -> int | None:
        pts, dts = None if self._only_dts else frame.pts, frame.dts
        if dts is not None:
            self._wrong_dts += self._last_dts is not None and dts <= self._last_dts
            self._last_dts = dts
        if pts is not None:
            self._wrong_pts += self._last_pts is not None and pts <= self._last_pts
            self._last_pts = pts
        trusted = self._wrong_pts <= self._wrong_dts or dts is None
        return pts if pts is not None and trusted else dts
