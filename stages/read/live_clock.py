"""When each frame of a live stream was taken, on one timeline across all its connections."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

MAX_SLEW = 0.0005
"""Seconds a second by which the timeline is corrected towards this machine's clock: more than the
error of a working camera's clock, and too little to be seen."""

JUMP_S = 1.0
"""Timestamps have begun anew where they fall back by more than this, or run ahead of this machine's
clock by so much more than ever before."""

MEASURED_FRAMES = 150
"""The usual time between frames is the mean of so many."""

FEW_FRAMES = 10
"""With fewer, it is not known yet what is usual."""

LEAST_STEP = 2 / 3
"""Least time between frames whose timestamps do not tell it, as a share of the usual time. It is
more than half, also while the usual time is only an estimate."""

HOLE_S, HOLE_FRAMES = 1.0, 3
"""Frames are missing where none came for this time, and for as long as so many frames take."""


@dataclass(frozen=True)
class Moment:
    """When a frame was taken.

    Attributes:
        time_s: since the first frame of the stream.
        step_s: since the frame before; the usual time, where that is not known or frames are
            missing in between.
        hole_s: for how long nothing was seen before it; 0 if no frame is missing.
    """

    time_s: float
    step_s: float
    hole_s: float = 0.0


class LiveClock:
    """Gives each frame its time: later than the one before, by the stream's own timestamps.

    A frame that comes late keeps the time at which it was taken. Only where the timestamps
    themselves jump, as they may at a new connection, the time that passed on this machine is taken.
    Without timestamps, the time of a frame is that of its arrival, at least half a frame after the
    last.

    Args:
        step_s: time between frames, until it is measured.
    """

    def __init__(self, step_s: float) -> None:
        self._steps_s = deque([step_s], MEASURED_FRAMES)
        self._last: Moment | None = None
        self._connecting = False
        self._owed_s = 0.0
        self._offset_s = self._stamp_s = self._arrived_s = self._ahead_s = 0.0

    def reconnect(self) -> None:
        """The next frame is the first one of a new connection."""
        self._connecting = True

    def moment_of(self, stamp_s: float | None, now_s: float) -> Moment:
        """When a frame was taken.

        Args:
            stamp_s: its timestamp; None if it has none.
            now_s: this machine's clock at its arrival.
        """
        usual_s = sum(self._steps_s) / len(self._steps_s)
        elapsed_s = now_s - self._arrived_s
        stamped = stamp_s is not None
        stamp_s = self._stamp_s + elapsed_s if stamp_s is None else stamp_s
        if self._last is None:
            moment = self._anchor(Moment(0.0, usual_s), stamp_s, now_s)
        elif self._jumps(stamp_s, now_s, usual_s):
            time_s = self._last.time_s + max(elapsed_s, usual_s)
            moment = self._anchor(Moment(time_s, usual_s), stamp_s, now_s)
        elif self._connecting:
            moment = Moment(stamp_s + self._offset_s, usual_s)
        else:
            moment = self._next(self._last.time_s, stamp_s, now_s, usual_s, stamped)
        self._last, self._stamp_s, self._arrived_s = moment, stamp_s, now_s
        self._ahead_s = max(self._ahead_s, moment.time_s - now_s)
        self._connecting = False
        return moment

    def _jumps(self, stamp_s: float, now_s: float, usual_s: float) -> bool:
        said_s = stamp_s - self._stamp_s
        if self._connecting:
            assert self._last is not None
            later = stamp_s + self._offset_s > self._last.time_s
            return not later or said_s > now_s - self._arrived_s + JUMP_S
        ahead_s = stamp_s + self._offset_s - now_s
        return said_s < -JUMP_S or ahead_s > self._ahead_s + JUMP_S + 2 * usual_s

    def _anchor(self, moment: Moment, stamp_s: float, now_s: float) -> Moment:
        self._offset_s = moment.time_s - stamp_s
        self._ahead_s = moment.time_s - now_s
        return moment

    def _next(
        self, before_s: float, stamp_s: float, now_s: float, usual_s: float, stamped: bool
    ) -> Moment:
        """The moment of a frame whose timestamp goes on from the one before."""
        said_s = stamp_s - self._stamp_s
        if said_s > 0:
            most_s, late_s = MAX_SLEW * said_s, now_s - stamp_s - self._offset_s
            self._offset_s += max(-most_s, min(most_s, late_s))
            least_s = min(said_s, LEAST_STEP * usual_s) if stamped else LEAST_STEP * usual_s
            step_s = max(stamp_s + self._offset_s - before_s, least_s)
        else:
            said_s = step_s = max(now_s - self._arrived_s, LEAST_STEP * usual_s)
        known = len(self._steps_s) >= FEW_FRAMES
        missing = known and step_s > max(HOLE_S, HOLE_FRAMES * usual_s)
        if stamped:
            self._steps_s.append(said_s)
        else:
            stalled = known and step_s > HOLE_FRAMES * usual_s
            self._steps_s.append(self._own_step_s(step_s, usual_s, stalled))
        return Moment(
            before_s + step_s,
            usual_s if missing or not stamped else step_s,
            step_s if missing else 0.0,
        )

    def _own_step_s(self, step_s: float, usual_s: float, stalled: bool) -> float:
        """The camera's own time between two frames without timestamps; the usual time in a stall,
        and for the frames of the burst that makes up for it, whose arrival does not tell it."""
        if stalled and not self._owed_s:
            self._owed_s = step_s - usual_s
        elif step_s < usual_s and self._owed_s > 0:
            self._owed_s -= usual_s - step_s
        else:
            self._owed_s = 0.0
            return step_s
        return usual_s
