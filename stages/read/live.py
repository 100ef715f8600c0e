"""Read a live stream, reconnecting when it is lost.

Unlike for files, the newest frame wins: a thread receives and decodes at the stream's own pace into
a short queue; when the stages after it are too slow, the oldest waiting frame is dropped and
counted. So latency stays bounded.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from time import monotonic, time
from typing import Literal

import av
import numpy as np

from configs.errors import SourceError
from configs.schema import LiveSettings
from stages.batch import FrameBatch, VideoInfo
from stages.colours import known_colorspace
from stages.files import reason_of
from stages.frames import (
    FALLBACK_RATE,
    MAX_RATE,
    copy_upright,
    pixels_shape,
    upright_size,
)
from stages.read.connect import LiveFrame, live_frames

State = Literal["connecting", "live", "reconnecting", "ended"]

TIME_BASE = Fraction(1, 90_000)
"""Unit of a live stream's timestamps, across all its connections (that of MPEG-TS and RTP)."""

HEARTBEAT_S = 0.5
"""Without frames, an empty batch comes this often, as a sign of life."""

MAX_DRIFT_S = 1.0
"""Timestamps further off this machine's clock are reset to it."""

DRIFT_CORRECTION = 0.002
"""Share of a smaller difference that each frame takes away: a camera's clock is not exact."""

MAX_GAPS = 1000


@dataclass(frozen=True)
class Gap:
    """An interruption of the stream.

    Attributes:
        from_s: time of the last frame before it.
        to_s: time of the first frame after it; None while there is none.
        reason: why the stream was lost, in words.
    """

    from_s: float
    to_s: float | None
    reason: str


@dataclass(frozen=True)
class _Received:
    pixels: np.ndarray
    pts: int
    arrived_s: float
    connection: int


class LiveReader:
    """One live stream; a context manager.

    Args:
        address: as for ``stages.read.connect.live_frames``.
        settings: timeouts, waits and limits.

    Attributes:
        info: what is known of the stream; None before its first frame.
        state: of the connection.
        reason: why it ended or is not connected, in words.
        dropped: frames dropped so far, because the stages were too slow.
        gaps: the latest interruptions.
        lost: how many interruptions there were.
        started_at: time of its first frame, in seconds since the epoch.
    """

    def __init__(self, address: str, settings: LiveSettings) -> None:
        self._address, self._settings = address, settings
        self.info: VideoInfo | None = None
        self.state: State = "connecting"
        self.reason: str | None = None
        self.dropped = self.lost = 0
        self.gaps: deque[Gap] = deque(maxlen=MAX_GAPS)
        self.started_at = 0.0
        self._changed = threading.Condition()
        self._waiting: deque[_Received] = deque()
        self._closing = threading.Event()
        self._opened_s = monotonic()
        self._started_s = 0.0
        self._last_pts = -1
        self._connection = 0
        self._thread = threading.Thread(target=self._receive, name="receive", daemon=True)
        self._thread.start()

    def __enter__(self) -> LiveReader:
        return self

    def __exit__(self, *_: object) -> None:
        self._closing.set()
        # FFmpeg's own timeouts end the thread's waiting.
        self._thread.join(self._settings.read_timeout_s + 1)

    def batches(self) -> Iterator[FrameBatch]:
        """The waiting frames, as soon as there are any, until a limit or the end of the stream.

        While there are none, empty batches come. All frames of a batch are from one connection;
        ``after_gap`` marks the first batch of a new one.
        """
        first_frame = connection = 0
        while not self._limit_reached(first_frame):
            with self._changed:
                self._changed.wait_for(lambda: self._waiting or self.state == "ended", HEARTBEAT_S)
                taken = self._take(first_frame)
                if not taken and self.state == "ended":
                    return
            after_gap = bool(taken) and taken[0].connection != connection and first_frame > 0
            connection = taken[0].connection if taken else connection
            yield self._batch(first_frame, taken, after_gap)
            first_frame += len(taken)

    def _take(self, frames_before: int) -> list[_Received]:
        """The oldest waiting frames of one connection, as many as fit into a batch."""
        room = self._settings.batch_frames
        if self._settings.frames:
            room = min(room, self._settings.frames - frames_before)
        taken: list[_Received] = []
        while self._waiting and len(taken) < room:
            if taken and self._waiting[0].connection != taken[0].connection:
                break
            taken.append(self._waiting.popleft())
        return taken

    def _limit_reached(self, frames: int) -> bool:
        """Whether the set number of frames is reached, or the time since the first frame (or since
        opening, while there is none)."""
        settings = self._settings
        running_s = monotonic() - (self._started_s or self._opened_s)
        late = bool(settings.duration_s) and running_s >= settings.duration_s
        return late or (bool(settings.frames) and frames >= settings.frames)

    def _batch(self, first_frame: int, taken: list[_Received], after_gap: bool) -> FrameBatch:
        pts = np.array([frame.pts for frame in taken], np.int64)
        if not taken:
            return FrameBatch(first_frame=first_frame, pts=pts, time_s=pts * float(TIME_BASE))
        pixels = np.stack([frame.pixels for frame in taken])
        return FrameBatch(
            first_frame=first_frame,
            pts=pts,
            time_s=pts * float(TIME_BASE),
            pixels=pixels,
            arrived_s=np.array([frame.arrived_s for frame in taken]),
            after_gap=after_gap,
        )

    def _receive(self) -> None:
        """Queue frames, reconnecting with exponential backoff."""
        settings = self._settings
        failures, wait_s = 0, settings.retry_wait_s
        while not self._closing.is_set():
            received_before = self._last_pts
            self._connection += 1
            try:
                self._receive_connection()
                reason = "the stream ended"
            except SourceError as error:
                self._end(str(error))
                return
            except (av.FFmpegError, OSError, ValueError) as error:
                reason = reason_of(error)
            if self._closing.is_set():
                return
            if self._last_pts != received_before:
                failures, wait_s = 0, settings.retry_wait_s
                self._lose(reason)
            failures += 1
            if settings.attempts and failures >= settings.attempts:
                self._end(f"given up after {failures} failed attempt(s): {reason}")
                return
            self.reason = reason
            self._closing.wait(wait_s)
            wait_s = min(wait_s * 2, settings.longest_retry_wait_s)

    def _receive_connection(self) -> None:
        clock = _Clock()
        for received in live_frames(self._address, self._settings):
            if self._closing.is_set():
                return
            self._queue(received, clock)

    def _queue(self, received: LiveFrame, clock: _Clock) -> None:
        now_s = monotonic()
        if self.info is None:
            self._started_s, self.started_at = now_s, time()
        info = self.info or _describe(received)
        size = (info.width, info.height)
        pixels = np.empty(pixels_shape(size), np.uint8)
        copy_upright(received.frame, size, pixels)
        time_s = clock.time_of(received, now_s - self._started_s)
        with self._changed:
            self._last_pts = max(round(time_s / TIME_BASE), self._last_pts + 1)
            if self.gaps and self.gaps[-1].to_s is None:
                gap = self.gaps.pop()
                to_s = round(self._last_pts * float(TIME_BASE), 6)
                self.gaps.append(Gap(gap.from_s, to_s, gap.reason))
            if len(self._waiting) >= self._settings.queue_frames:
                self._waiting.popleft()
                self.dropped += 1
            self._waiting.append(_Received(pixels, self._last_pts, time(), self._connection))
            self.info, self.state, self.reason = info, "live", None
            self._changed.notify_all()

    def _lose(self, reason: str) -> None:
        with self._changed:
            self.state = "reconnecting"
            self.lost += 1
            self.gaps.append(Gap(round(self._last_pts * float(TIME_BASE), 6), None, reason))

    def _end(self, reason: str) -> None:
        with self._changed:
            self.state, self.reason = "ended", reason
            self._changed.notify_all()


class _Clock:
    """Times of one connection's frames: their timestamps, kept close to this machine's clock."""

    def __init__(self) -> None:
        self._offset_s: float | None = None

    def time_of(self, received: LiveFrame, now_s: float) -> float:
        """Time of a frame, in seconds since the start of the stream; it arrives at ``now_s``."""
        stamp_s = received.frame.time
        if stamp_s is None or not received.timed:
            return now_s
        if self._offset_s is None or abs(now_s - stamp_s - self._offset_s) > MAX_DRIFT_S:
            self._offset_s = now_s - stamp_s
        self._offset_s += (now_s - stamp_s - self._offset_s) * DRIFT_CORRECTION
        return stamp_s + self._offset_s


def _describe(received: LiveFrame) -> VideoInfo:
    width, height = upright_size(received.frame, received.sample_aspect)
    rate = received.rate or FALLBACK_RATE
    return VideoInfo(
        width=width,
        height=height,
        time_base=TIME_BASE,
        start_pts=0,
        start_s=0.0,
        rate=rate if rate <= MAX_RATE else FALLBACK_RATE,
        frames=0,
        duration_s=0.0,
        codec=received.codec,
        colorspace=known_colorspace(received.colorspace, received.frame.format.is_rgb, height),
        color_primaries=received.color_primaries,
        color_trc=received.color_trc,
    )
