"""The frames of a live stream that wait for the stages: few, and the newest win."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from time import monotonic

import numpy as np
from numpy.typing import NDArray

from stages.batch import VideoInfo

FASTEST, SLOWEST = 1.5, 1.1
"""After a stall, or in segments, frames come in bursts. They are passed on as fast as the stages
take them, but within these multiples of the speed at which they were taken, so that they catch
up."""

LEEWAY_S = 0.1
"""By so much the schedule may lag, as on a busy machine, and catch up at once."""

START_S = 1.0
"""So long frames wait for room at the beginning, as stages are slow with their first batch."""

PATIENCE_S = 0.4
"""Stages that are behind by less than this may catch up: no frame is dropped yet."""


@dataclass(frozen=True)
class Received:
    """A frame, upright.

    Attributes:
        pixels: as in ``FrameBatch``, of one frame.
        pts: timestamp on the stream's timeline.
        arrived_s: in seconds since the epoch.
        info: of the stream at this frame.
        part: a number that changes at a new connection, and where the picture's size changes.
    """

    pixels: NDArray[np.uint8]
    pts: int
    arrived_s: float
    info: VideoInfo
    part: int


class _Pace:
    """Schedule for frames at a multiple of the speed at which they were taken."""

    def __init__(self, speed: float) -> None:
        self._speed, self._due_s = speed, 0.0

    def due_s(self, step_s: float, now_s: float) -> float:
        """When the next frame is due, taken so long after the one before."""
        self._due_s = max(self._due_s + step_s / self._speed, now_s - LEEWAY_S)
        return self._due_s


class LiveQueue:
    """Connects the thread that receives frames with the one that runs the stages.

    Each frame of a burst waits for room, for less than the time between two frames: none is lost,
    and the stages catch up. If they are too slow for the stream itself, they get only the newest
    frame, so that its age stays bounded, whatever the queue's size.

    Args:
        size: frames that may wait; of more, the oldest is dropped.
        batch: frames that are taken at once, at most.

    Attributes:
        dropped: frames dropped so far, because the stages were too slow.
    """

    def __init__(self, size: int, batch: int) -> None:
        self._size, self._batch = size, batch
        self._room = batch
        self._waiting: deque[tuple[float, Received]] = deque()
        self._fastest, self._slowest = _Pace(FASTEST), _Pace(SLOWEST)
        self._takes = 0
        self._overflowed = False
        self._closed = False
        self._changed = threading.Condition()
        self.dropped = 0

    def put(self, frame: Received, step_s: float) -> None:
        """Add a frame, waiting for its turn.

        Args:
            step_s: how long after the one before it was taken.
        """
        with self._changed:
            now_s = monotonic()
            earliest_s, latest_s = (
                pace.due_s(step_s, now_s) for pace in (self._fastest, self._slowest)
            )
            if self._takes < 2:
                latest_s = now_s + START_S
            self._wait_until(earliest_s, lambda: self._closed)
            self._wait_until(latest_s, lambda: self._closed or len(self._waiting) < self._room)
            if self._closed:
                return
            if len(self._waiting) >= self._size:
                self._drop(1)
                self._overflowed = True
            self._waiting.append((monotonic(), frame))
            self._changed.notify_all()

    def take(self, most: int, timeout_s: float) -> list[Received]:
        """The waiting frames of one part that fit into a batch; none after the time-out, or once
        the queue is closed and empty.

        Args:
            most: frames to take, at most.
        """
        with self._changed:
            self._changed.wait_for(lambda: self._waiting or self._closed, timeout_s)
            if not self._waiting:
                return []
            self._takes += 1
            self._choose()
            taken = [self._waiting.popleft()[1]]
            while (
                self._waiting
                and len(taken) < min(most, self._batch)
                and self._waiting[0][1].part == taken[0].part
            ):
                taken.append(self._waiting.popleft()[1])
            self._changed.notify_all()
            return taken

    def close(self) -> None:
        """Take no more frames; nobody waits any longer."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()

    def _choose(self) -> None:
        """Drop all but the newest frame if the stages are too slow for the stream.

        They are if frames had to be dropped already, or wait for long and are more than a batch.
        After that they get one frame at a time, then two and so on, as long as no others wait.
        """
        count, waited_s = len(self._waiting), monotonic() - self._waiting[0][0]
        if count <= self._room and not self._overflowed:
            self._room = min(2 * self._room, self._batch)
        elif self._room < self._batch or self._overflowed or waited_s > PATIENCE_S:
            self._room = 1
            self._drop(count - 1)
        self._overflowed = False

    def _wait_until(self, due_s: float, done: Callable[[], bool]) -> None:
        self._changed.wait_for(done, max(0.0, due_s - monotonic()))

    def _drop(self, count: int) -> None:
        for _ in range(count):
            self._waiting.popleft()
        self.dropped += count
