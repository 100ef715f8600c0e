"""Read a video file: batches of upright YUV frames, with the stream's own timestamps."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from fractions import Fraction
from itertools import chain, islice, pairwise
from math import inf
from pathlib import Path
from time import monotonic

import av
import numpy as np

from configs.errors import SourceError
from configs.schema import ReadSettings
from stages.batch import FrameBatch, VideoInfo
from stages.colours import known_colorspace
from stages.frames import (
    FALLBACK_RATE,
    MAX_RATE,
    copy_upright,
    pixels_shape,
    upright_size,
)
from stages.read.decode import Decoder
from stages.read.pictures import Pictures, numbered_pictures

MEASURED_FRAMES = 10
"""From so many frames the rate is measured, if the stated one cannot be believed."""


SIGN_OF_LIFE_S = 1.0
"""Batches without frames are so far apart while the rest of a file is read."""

SEEN_TOGETHER_S = 1.0
"""A timestamp that lies outside of those of its two neighbours is wrong, if they are less than this
apart."""


class VideoReader:
    """One video file, or numbered pictures, opened; a context manager.

    Args:
        path: a file; or of pictures, as for ``numbered_pictures``.
        settings: with the turn decided, so ``rotate`` is a number.

    Example:
        with VideoReader(Path("interview.mp4"), ReadSettings()) as reader:
            for batch in reader.batches():
                print(batch.time_s)

    Raises:
        SourceError: there is no file, or no video in it that can be decoded.
    """

    def __init__(self, path: Path, settings: ReadSettings) -> None:
        self._settings = settings
        self._rotate = settings.rotate if settings.rotate != "auto" else 0
        self._source = _open(path, settings)
        try:
            frames = self._source.frames()
            first = list(islice(frames, 1))
            if not first:
                reason = "; ".join(self._source.faults) or "it holds no frame"
                raise SourceError(f"{path}: no picture could be decoded: {reason}")
            if (self._source.stated.rate or 0) > MAX_RATE:
                first += islice(frames, MEASURED_FRAMES)
            self._frames = chain(first, frames)
            self.info = self._describe(first)
        except BaseException:
            self._source.close()
            raise

    def __enter__(self) -> VideoReader:
        return self

    def __exit__(self, *_: object) -> None:
        self._source.close()

    def batches(self) -> Iterator[FrameBatch]:
        """All frames of the part in order of presentation, once, or every so many of them.

        Frames are numbered and timed from the beginning of the film, so it is decoded up to the
        part; meanwhile empty batches come. Damage is skipped where the decoder can go on after it,
        and reported as ``damage`` of the batch that follows; the last batch may hold nothing else.
        """
        info, frames = self.info, self._clock.timed(self._frames)
        size = (info.width, info.height)
        shape = pixels_shape(size)
        capacity = max(
            1,
            min(
                self._settings.batch_frames,
                self._settings.batch_mb * 2**20 // (shape[0] * shape[1]),
            ),
        )
        time_s, number, kept = 0.0, 0, 0
        following = next(frames, None)
        while True:
            pixels = np.empty((capacity, *shape), np.uint8)
            pts = np.empty(capacity, np.int64)
            first, read, count, left_out, before_part = number, number, 0, 0, 0
            some = islice(chain([following] if following else [], frames), capacity * info.every)
            for frame, stamp in some:
                # As exact as in a table.
                time_s = round((stamp - info.start_pts) * float(info.time_base), 6)
                if time_s >= info.to_s:
                    self._source.stop()
                elif time_s < info.from_s:
                    before_part += 1
                elif number % info.every:
                    left_out += 1
                else:
                    copy_upright(frame, size, pixels[count], self._rotate)
                    pts[count] = stamp
                    first, count = first if count else number, count + 1
                number += 1
            following = next(frames, None)
            ended = following is None
            kept += count
            if ended:
                yield from self._rest(number)
            if ended and not kept:
                self._source.faults.append(_nothing_in_part(info, time_s))
            damage = "; ".join(self._source.faults) or None
            self._source.faults.clear()
            if number > read or damage:
                yield FrameBatch(
                    first_frame=first,
                    pts=pts[:count],
                    time_s=np.multiply(
                        pts[:count] - info.start_pts, float(info.time_base), dtype=np.float64
                    ),
                    pixels=pixels[:count],
                    frame_step=info.every,
                    left_out=left_out,
                    before_part=before_part,
                    damage=damage,
                    input_sha256=self._source.sha256,
                )
            if ended:
                return

    def _rest(self, number: int) -> Iterator[FrameBatch]:
        """Have the rest of the file read; batches without frames tell that it goes on."""
        told_s, nothing = monotonic(), np.empty(0, np.int64)
        for _ in self._source.rest():
            if monotonic() - told_s >= SIGN_OF_LIFE_S:
                told_s = monotonic()
                yield FrameBatch(number, nothing, nothing.astype(np.float64))

    def _describe(self, first_ones: list[av.VideoFrame]) -> VideoInfo:
        first, stated = first_ones[0], self._source.stated
        width, height = upright_size(first, stated.sample_aspect, self._rotate)
        rate = _measured_rate(first_ones) or stated.rate or FALLBACK_RATE
        time_base = first.time_base or stated.time_base or 1 / rate
        self._clock = FrameClock(
            first,
            step=max(1, round(1 / (rate * time_base))),
            seen_together=round(SEEN_TOGETHER_S / time_base),
            only_dts=stated.only_dts,
        )
        start_pts = self._clock.start_pts
        origin = stated.first_dts if stated.only_dts else start_pts
        frames = stated.frames or round(stated.duration_s * rate)
        settings, to_s = self._settings, self._settings.to_s or inf
        part_s = min(to_s, float(frames / rate)) - settings.from_s
        return VideoInfo(
            width=width,
            height=height,
            time_base=time_base,
            start_pts=start_pts,
            start_s=max(0.0, float(origin * time_base) - stated.start_s),
            rate=rate,
            frames=max(0, round(part_s * float(rate) / settings.every)),
            duration_s=stated.duration_s,
            codec=stated.codec,
            rotate=self._rotate,
            from_s=settings.from_s,
            to_s=to_s,
            every=settings.every,
            colorspace=known_colorspace(stated.colorspace, first.format.is_rgb, height),
            color_primaries=stated.color_primaries,
            color_trc=stated.color_trc,
        )


def _nothing_in_part(info: VideoInfo, last_s: float) -> str:
    until = f" to {info.to_s:g} s" if info.to_s < inf else ""
    return (
        f"there is no frame to analyse from {info.from_s:g} s{until}; the last one that was read "
        f"is at {last_s:g} s"
    )


def _open(path: Path, settings: ReadSettings) -> Decoder | Pictures:
    if path.is_dir() or (not path.exists() and numbered_pictures(path)):
        return Pictures(path, settings.rate)
    return Decoder(path, settings.threads)


def _measured_rate(frames: list[av.VideoFrame]) -> Fraction | None:
    """Frames per second by the timestamps of some frames; None if they do not tell."""
    times = [
        frame.pts * frame.time_base for frame in frames if frame.pts is not None and frame.time_base
    ]
    if len(times) < 2 or times[-1] <= times[0]:
        return None
    return Fraction((len(times) - 1) / (times[-1] - times[0])).limit_denominator(1001)


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
