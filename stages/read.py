"""Read a recorded video: batches of upright YUV frames, with the stream's own timestamps."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np

from configs.errors import SourceError
from configs.schema import ReadSettings
from stages.batch import FrameBatch, VideoInfo, yuv_planes
from stages.decode import Decoder, plane_values

FALLBACK_RATE = Fraction(25)
"""Frames a second of a stream that states neither timestamps nor a rate."""

BT601 = 6
"""FFmpeg's number for the colour space (SMPTE 170M) that its conversion from RGB gives."""


class VideoReader:
    """One video file, opened; a context manager.

    Example:
        with VideoReader(Path("interview.mp4"), ReadSettings(), search_width_px=640) as reader:
            for batch in reader.batches():
                print(batch.time_s)

    Raises:
        SourceError: there is no file, or no video in it that can be decoded.
    """

    def __init__(self, path: Path, settings: ReadSettings, search_width_px: int) -> None:
        self._settings = settings
        self._search_width_px = search_width_px
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
        shape = (_even(info.height) * 3 // 2, _even(info.width))
        capacity = max(
            1,
            min(
                self._settings.batch_frames,
                self._settings.batch_mb * 2**20 // (shape[0] * shape[1]),
            ),
        )
        upright_frames = self._upright_frames()
        while True:
            pixels = np.empty((capacity, *shape), np.uint8)
            pts = np.empty(capacity, np.int64)
            count = 0
            for frame_pts, planes in upright_frames:
                for target, plane in zip(yuv_planes(pixels[count]), planes, strict=True):
                    _fill(target, plane)
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
                    search_images=search_images(pixels[:count], self._search_width_px),
                    damage=damage,
                )
            if count < capacity:
                return
            first_frame += count

    def _describe(self, first: av.VideoFrame) -> VideoInfo:
        container, stream = self._decoder.container, self._decoder.stream
        context = stream.codec_context
        sideways = first.rotation % 180 != 0
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
            width=first.height if sideways else first.width,
            height=first.width if sideways else first.height,
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

    def _upright_frames(self) -> Iterator[tuple[int, list[np.ndarray]]]:
        """Timestamp and Y, U and V planes of each frame, all of the size of the first."""
        info = self.info
        step = max(1, round(1 / (info.rate * info.time_base)))
        following_pts = info.start_pts
        frame: av.VideoFrame | None = self._first
        while frame is not None:
            sideways = frame.rotation % 180 != 0
            width, height = (info.height, info.width) if sideways else (info.width, info.height)
            pts = self._pts(frame)
            pts = following_pts if pts is None else pts
            following_pts = pts + step
            quarter_turns = round(frame.rotation / 90)
            yield pts, [np.rot90(plane, quarter_turns) for plane in _planes(frame, width, height)]
            frame = next(self._frames, None)


def search_images(pixels: np.ndarray, width_px: int) -> np.ndarray:
    """Frames made small for the search for faces; never enlarged.

    Args:
        pixels: (n, H * 3 / 2, W) uint8, planar YUV 4:2:0.
        width_px: length of the longer side, at most.

    Returns:
        (n, h, w, 3) uint8 BGR, h and w even.
    """
    full_height, full_width = pixels.shape[1] * 2 // 3, pixels.shape[2]
    scale = min(1.0, width_px / max(full_width, full_height))
    height, width = (max(2, round(side * scale / 2) * 2) for side in (full_height, full_width))
    images = np.empty((len(pixels), height, width, 3), np.uint8)
    small = np.empty((height * 3 // 2, width), np.uint8)
    for frame, image in zip(pixels, images, strict=True):
        for plane, target in zip(yuv_planes(frame), yuv_planes(small), strict=True):
            cv2.resize(plane, target.shape[::-1], dst=target, interpolation=cv2.INTER_AREA)
        cv2.cvtColor(small, cv2.COLOR_YUV2BGR_I420, dst=image)
    return images


def _planes(frame: av.VideoFrame, width: int, height: int) -> list[np.ndarray]:
    """Y, U and V of a frame, as (h, w), (h / 2, w / 2) uint8, limited range, at the size asked."""
    full_range = frame.color_range == av.video.reformatter.ColorRange.JPEG
    plain = frame.format.name == "yuv420p" and not full_range
    if not plain or (frame.width, frame.height) != (width, height):
        frame = frame.reformat(
            width=width,
            height=height,
            format="yuv420p",
            dst_color_range="MPEG",
        )
    return [plane_values(plane) for plane in frame.planes]


def _fill(target: np.ndarray, plane: np.ndarray) -> None:
    """Copy a plane into one that is as large, or larger by a row or column to be repeated."""
    height, width = plane.shape
    target[:height, :width] = plane
    target[:height, width:] = plane[:, -1:]
    target[height:] = target[height - 1]


def _even(size: int) -> int:
    return size + size % 2
