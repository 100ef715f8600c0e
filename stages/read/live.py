"""Read a live stream, reconnecting when it is lost.

Unlike for files, the newest frames win: a thread receives and decodes at the stream's own pace into
a short queue (``stages.read.live_queue``). So latency stays bounded.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction
from time import monotonic, time
from typing import Literal

import av
import numpy as np

from configs.errors import SourceError, ThreadDiedError, explain
from configs.schema import LiveSettings
from stages.batch import FrameBatch, Gap, VideoInfo
from stages.colours import known_colorspace
from stages.ffmpeg import reason_of
from stages.frames import (
    FALLBACK_RATE,
    MAX_RATE,
    copy_upright,
    pixels_shape,
    upright_size,
)
from stages.read.connect import LiveFrame, live_frames
from stages.read.live_clock import LiveClock
from stages.read.live_queue import LiveQueue, Received

State = Literal["connecting", "live", "reconnecting", "ended"]

TIME_BASE = Fraction(1, 90_000)
"""Unit of a live stream's timestamps, across all its connections (that of MPEG-TS and RTP)."""

HEARTBEAT_S = 0.5
"""Without frames, an empty batch comes this often, as a sign of life."""

MAX_GAPS = 1000

HANGING_S = 60.0
"""Beyond all timeouts and waits: a receiving thread that is silent for longer hangs."""


class LiveReader:
    """One live stream; a context manager.

    Args:
        address: as for ``stages.read.connect.live_frames``.
        settings: timeouts, waits and limits.

    Attributes:
        info: what is known of the stream, by its newest frame; None before its first one.
        state: of the connection.
        reason: why it ended or is not connected, in words.
        gaps: the latest times without frames.
        lost: how many times the connection was lost.
        started_at: time of its first frame, in seconds since the epoch.
    """

    def __init__(self, address: str, settings: LiveSettings) -> None:
        self._address, self._settings = address, settings
        self.info: VideoInfo | None = None
        self.state: State = "connecting"
        self.reason: str | None = None
        self.lost = 0
        self.gaps: deque[Gap] = deque(maxlen=MAX_GAPS)
        self.started_at = 0.0
        self._queue = LiveQueue(settings.queue_frames, settings.batch_frames)
        self._closing = threading.Event()
        self._opened_s = monotonic()
        self._started_s = 0.0
        self._clock: LiveClock | None = None
        self._last_pts = -1
        self._part = 0
        self._sign_of_life_s = monotonic()
        self._thread = threading.Thread(target=self._receive, name="receive", daemon=True)
        self._thread.start()

    def __enter__(self) -> LiveReader:
        return self

    def __exit__(self, *_: object) -> None:
        self._closing.set()
        self._queue.close()
        # FFmpeg's own timeouts end the thread's waiting.
        self._thread.join(self._settings.read_timeout_s + 1)

    @property
    def dropped(self) -> int:
        """Frames dropped so far, because the stages were too slow."""
        return self._queue.dropped

    def batches(self) -> Iterator[FrameBatch]:
        """The waiting frames, as soon as there are any, until a limit or the end of the stream.

        While there are none, empty batches come. All frames of a batch are from one connection and
        of one size; ``info`` marks the first batch of each size, ``after_gap`` the first one of
        each connection or size but the first.

        Raises:
            ThreadDiedError: the receiving thread died, or hangs.
        """
        settings, first_frame, part = self._settings, 0, 0
        info: VideoInfo | None = None
        while not self._limit_reached(first_frame):
            most = settings.frames - first_frame if settings.frames else settings.batch_frames
            taken = self._queue.take(most, HEARTBEAT_S)
            if not taken:
                if self.state == "ended":
                    return
                self._check_thread()
                yield _batch(first_frame, taken)
                continue
            batch = _batch(first_frame, taken)
            batch = replace(batch, after_gap=taken[0].part != part and first_frame > 0)
            if info is None or _size(info) != _size(taken[0].info):
                info = taken[0].info
                batch = replace(batch, info=info)
            part = taken[0].part
            yield batch
            first_frame += len(taken)

    def _check_thread(self) -> None:
        settings = self._settings
        patience_s = (
            2 * settings.open_timeout_s + settings.read_timeout_s + settings.longest_retry_wait_s
        )
        if not self._thread.is_alive() and self.state != "ended":
            raise ThreadDiedError("the thread that receives the stream died")
        if monotonic() - self._sign_of_life_s > patience_s + HANGING_S:
            raise ThreadDiedError("the thread that receives the stream hangs")

    def _limit_reached(self, frames: int) -> bool:
        """Whether the set number of frames is reached, or the time since the first frame (or since
        opening, while there is none)."""
        settings = self._settings
        running_s = monotonic() - (self._started_s or self._opened_s)
        late = bool(settings.duration_s) and running_s >= settings.duration_s
        return late or (bool(settings.frames) and frames >= settings.frames)

    def _receive(self) -> None:
        """Queue frames, reconnecting with exponential backoff."""
        settings = self._settings
        failures, waits_s = 0, backoff(settings.retry_wait_s, settings.longest_retry_wait_s)
        while not self._closing.is_set():
            received_before = self._last_pts
            self._sign_of_life_s = monotonic()
            try:
                self._receive_connection()
                reason = "the stream ended"
            except SourceError as error:
                # What was live is over once it can be had as a recorded video.
                self._end(str(error) if self.info is None else "the stream is over")
                return
            except (av.FFmpegError, OSError, ValueError) as error:
                reason = reason_of(error)
            except Exception as error:  # Unforeseen: it is told, and the stream is tried again.
                reason = explain(error)
            if self._closing.is_set():
                return
            if self._last_pts != received_before:
                failures = 0
                waits_s = backoff(settings.retry_wait_s, settings.longest_retry_wait_s)
                self._lose(reason)
            failures += 1
            if settings.attempts and failures >= settings.attempts:
                self._end(f"given up after {failures} failed attempt(s): {reason}")
                return
            self.reason = reason
            self._closing.wait(next(waits_s))

    def _receive_connection(self) -> None:
        self._part += 1
        if self._clock is not None:
            self._clock.reconnect()
        for received in live_frames(self._address, self._settings):
            if self._closing.is_set():
                return
            self._take_in(received)

    def _take_in(self, received: LiveFrame) -> None:
        """Queue one frame."""
        now_s, arrived_s = monotonic(), time()
        self._sign_of_life_s = now_s
        info = _describe(received)
        if self._clock is None:
            self._started_s, self.started_at = now_s, arrived_s
            self._clock = LiveClock(float(1 / info.rate))
        if self.info is None or _size(self.info) != _size(info):
            self._part += 1
            self.info = info
        stamp_s = received.frame.time if received.timed else None
        moment = self._clock.moment_of(stamp_s, now_s - self._started_s)
        before_s = self._last_s
        self._last_pts = max(round(moment.time_s / TIME_BASE), self._last_pts + 1)
        if self.gaps and self.gaps[-1].to_s is None:
            self.gaps.append(replace(self.gaps.pop(), to_s=self._last_s))
        elif moment.hole_s:
            reason = f"no picture came for {moment.hole_s:.1f} s"
            self.gaps.append(Gap(before_s, self._last_s, reason))
        self.state, self.reason = "live", None
        size = _size(info)
        pixels = np.empty(pixels_shape(size), np.uint8)
        copy_upright(received.frame, size, pixels)
        frame = Received(pixels, self._last_pts, arrived_s, self.info, self._part)
        self._queue.put(frame, moment.step_s)

    @property
    def _last_s(self) -> float:
        """Time of the newest frame."""
        return round(self._last_pts * float(TIME_BASE), 6)

    def _lose(self, reason: str) -> None:
        self.state = "reconnecting"
        self.lost += 1
        self.gaps.append(Gap(self._last_s, None, reason))

    def _end(self, reason: str) -> None:
        self.state, self.reason = "ended", reason
        self._queue.close()


def backoff(first_s: float, longest_s: float) -> Iterator[float]:
    """Waits between attempts, in seconds: each twice the one before, up to the longest."""
    while True:
        yield first_s
        first_s = min(first_s * 2, longest_s)


def _batch(first_frame: int, taken: list[Received]) -> FrameBatch:
    pts = np.array([frame.pts for frame in taken], np.int64)
    time_s = np.asarray(pts * float(TIME_BASE), np.float64)
    batch = FrameBatch(first_frame=first_frame, pts=pts, time_s=time_s)
    if not taken:
        return batch
    return replace(
        batch,
        pixels=np.stack([frame.pixels for frame in taken]),
        arrived_s=np.array([frame.arrived_s for frame in taken]),
    )


def _describe(received: LiveFrame) -> VideoInfo:
    frame, stated = received.frame, received.stated
    width, height = upright_size(frame, stated.sample_aspect)
    rate = stated.rate or FALLBACK_RATE
    return VideoInfo(
        width=width,
        height=height,
        time_base=TIME_BASE,
        start_pts=0,
        start_s=0.0,
        rate=rate if rate <= MAX_RATE else FALLBACK_RATE,
        frames=0,
        duration_s=0.0,
        codec=stated.codec,
        colorspace=known_colorspace(stated.colorspace, frame.format.is_rgb, height),
        color_primaries=stated.color_primaries,
        color_trc=stated.color_trc,
    )


def _size(info: VideoInfo) -> tuple[int, int]:
    return info.width, info.height
