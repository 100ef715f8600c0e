"""Read a recorded video: batches of upright YUV frames, with the stream's own timestamps."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import av
import numpy as np

from configs.errors import SourceError
from configs.schema import ReadSettings
from stages.batch import FrameBatch, VideoInfo
from stages.frames import (
    BT601,
    FALLBACK_RATE,
    copy_upright,
    pixels_shape,
    upright_size,
)
from stages.read.decode import Decoder


class VideoReader:
    """One video file, opened; a context manager.

    Example:
        with VideoReader(Path("interview.mp4"), ReadSettings()) as reader:
            for batch in reader.batches():
                print(batch.time_s)

    Raises:
        SourceError: there is no file, or no video in it that can be decoded.
    """

    def __init__(self, path: Path, settings: ReadSettings) -> None:
        self._settings = settings
        self._decoder = Decoder(path, settings.threads)
        self._frames = self._decoder.frames()
        try:
            self._first = next(self._frames, None)
            if self._first is None:
                reason = "; ".join(self._decoder.faults) or "it holds no frame"
                raise SourceError(f"{path}: no picture could be decoded: {reason}")
            self.info = self._describe(self._first)
        except BaseException:
            self._decoder.close()
            raise

    def __enter__(self) -> VideoReader:
        return self

    def __exit__(self, *_: object) -> None:
        self._decoder.close()

    def batches(self) -> Iterator[FrameBatch]:
        """All frames in order of presentation, once.

        Damage in the file is skipped where the decoder can go on after it, and told in the
        ``damage`` of the batch that follows; the last batch may hold nothing else.
        """
        info, first_frame, previous_pts = self.info, 0, self.info.start_pts - 1
        size = (info.width, info.height)
        shape = pixels_shape(size)
        capacity = max(
            1,
            min(
                self._settings.batch_frames,
                self._settings.batch_mb * 2**20 // (shape[0] * shape[1]),
            ),
        )
        timed_frames = self._timed_frames()
        while True:
            pixels = np.empty((capacity, *shape), np.uint8)
            pts = np.empty(capacity, np.int64)
            count = 0
            for frame_pts, frame in timed_frames:
                copy_upright(frame, size, pixels[count])
                pts[count] = previous_pts = max(frame_pts, previous_pts + 1)
                count += 1
                if count == capacity:
                    break
            damage = "; ".join(self._decoder.faults) or None
            self._decoder.faults.clear()
            if count or damage:
                yield FrameBatch(
                    first_frame=first_frame,
                    pts=pts[:count],
                    time_s=(pts[:count] - info.start_pts) * float(info.time_base),
                    pixels=pixels[:count],
                    damage=damage,
                )
            if count < capacity:
                return
            first_frame += count

    def _describe(self, first: av.VideoFrame) -> VideoInfo:
        container, stream = self._decoder.container, self._decoder.stream
        context = stream.codec_context
        width, height = upright_size(first)
        rate = stream.average_rate or stream.guessed_rate or FALLBACK_RATE
        duration_s = (
            float(stream.duration * stream.time_base)
            if stream.duration and stream.time_base
            else (container.duration or 0) / av.time_base
        )
        time_base = first.time_base or 1 / rate
        start_pts = self._pts(first) or 0
        origin = stream.start_time or 0 if self._known_by_dts else start_pts
        file_start_s = (container.start_time or 0) / av.time_base
        return VideoInfo(
            width=width,
            height=height,
            time_base=time_base,
            start_pts=start_pts,
            start_s=max(0.0, float(origin * time_base) - file_start_s),
            rate=rate,
            frames=stream.frames or round(duration_s * rate),
            duration_s=duration_s,
            codec=context.name,
            colorspace=BT601 if first.format.is_rgb else context.colorspace,
            color_primaries=context.color_primaries,
            color_trc=context.color_trc,
        )

    @property
    def _known_by_dts(self) -> bool:
        """Whether times of decoding are all there is: AVI has none of presentation."""
        return self._decoder.container.format.name == "avi"

    def _pts(self, frame: av.VideoFrame) -> int | None:
        return frame.dts if self._known_by_dts or frame.pts is None else frame.pts

    def _timed_frames(self) -> Iterator[tuple[int, av.VideoFrame]]:
        """Each frame and its timestamp."""
        info = self.info
        step = max(1, round(1 / (info.rate * info.time_base)))
        following_pts = info.start_pts
        frame: av.VideoFrame | None = self._first
        while frame is not None:
            pts = self._pts(frame)
            pts = following_pts if pts is None else pts
            following_pts = pts + step
            yield pts, frame
            frame = next(self._frames, None)
