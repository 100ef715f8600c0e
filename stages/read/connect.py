"""Open a camera or a network stream, and decode its frames for as long as it sends."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction

import av
import cv2
import numpy as np

from configs.errors import SourceError
from configs.schema import LiveSettings

OPTIONS = {"rtsp_transport": "tcp", "fflags": "nobuffer", "flags": "low_delay"}
"""FFmpeg's: RTSP over TCP, as UDP loses packets on most networks; no buffering to reorder."""

UNTIMED_FORMATS = {"mpjpeg", "mjpeg", "image2pipe"}
"""Formats without timestamps: FFmpeg makes them up, for 25 frames per second."""

DEVICE = "/dev/video"


@dataclass(frozen=True)
class LiveFrame:
    """A decoded frame, with what is known of its stream.

    Attributes:
        frame: as it was decoded.
        timed: whether its timestamp comes from the camera, rather than from counting frames.
        rate: frames per second, if the stream states it.
        codec: FFmpeg's name of the codec.
        sample_aspect: width of its pixels, for a height of 1; None if unknown.
        colorspace, color_primaries, color_trc: FFmpeg's numbers for its colours; 2 is unknown.
    """

    frame: av.VideoFrame
    timed: bool
    rate: Fraction | None
    codec: str
    sample_aspect: Fraction | None = None
    colorspace: int = 2
    color_primaries: int = 2
    color_trc: int = 2


def live_frames(address: str, settings: LiveSettings) -> Iterator[LiveFrame]:
    """Frames of one connection, from its opening to its end.

    Args:
        address: a URL, the number of a camera, or a device.
        settings: how long to wait for an answer, and for the next frame.

    Raises:
        OSError, ValueError: it cannot be opened, sent nothing for too long, or broke off. FFmpeg's
            errors are among them.
        SourceError: trying again is of no use.
    """
    on_linux = sys.platform == "linux"
    if address.isdigit() and not on_linux:
        yield from _camera_frames(int(address))
    elif address.isdigit():
        yield from _ffmpeg_frames(f"{DEVICE}{address}", settings)
    else:
        yield from _ffmpeg_frames(address, settings)


def _ffmpeg_frames(address: str, settings: LiveSettings) -> Iterator[LiveFrame]:
    with av.open(
        address,
        format="v4l2" if address.startswith(DEVICE) else None,
        options={} if address.startswith(DEVICE) else OPTIONS,
        timeout=(settings.open_timeout_s, settings.read_timeout_s),
        metadata_errors="replace",
    ) as container:
        if not container.streams.video:
            raise ValueError("no pictures in it, only sound or data")
        if container.duration and address.startswith("http"):
            # It would arrive faster than it plays, and most of it would be dropped.
            raise SourceError(
                f"it is a recorded video of {container.duration / av.time_base:.0f} s, not a live "
                "stream; download it, and give the file"
            )
        stream = container.streams.video[0]
        context = stream.codec_context
        for packet in container.demux(stream):
            try:
                frames = packet.decode()
            except av.error.InvalidDataError:  # One broken picture; the next ones may be whole.
                continue
            for frame in frames:
                yield LiveFrame(
                    frame,
                    container.format.name not in UNTIMED_FORMATS,
                    stream.average_rate or stream.guessed_rate,
                    context.name,
                    stream.sample_aspect_ratio,
                    context.colorspace,
                    context.color_primaries,
                    context.color_trc,
                )


def _camera_frames(number: int) -> Iterator[LiveFrame]:
    """By OpenCV, which numbers the cameras on every platform."""
    camera = cv2.VideoCapture(number)
    try:
        if not camera.isOpened():
            raise ValueError("no such camera, or it is in use")
        rate = camera.get(cv2.CAP_PROP_FPS)
        while True:
            there, picture = camera.read()
            if not there:
                raise ValueError("the camera sends no more pictures")
            frame = av.VideoFrame.from_ndarray(np.asarray(picture, np.uint8), format="bgr24")
            known_rate = Fraction(rate).limit_denominator(1001) if rate > 0 else None
            yield LiveFrame(frame, False, known_rate, "raw")
    finally:
        camera.release()
