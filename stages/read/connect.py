"""Open a camera or a network stream, and decode its frames for as long as it sends."""

from __future__ import annotations

import errno
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from fractions import Fraction
from time import sleep

import av
import cv2
import numpy as np
from av.container import InputContainer

from configs.errors import SourceError
from configs.schema import LiveSettings
from stages.ffmpeg import of_known_streams
from stages.frames import Stated

OPTIONS = {"rtsp_transport": "tcp", "analyzeduration": "500000", "probesize": "1000000"}
"""FFmpeg's: RTSP over TCP, as UDP loses packets on most networks; half a second, or 1 MB, to find
out what is in a stream. ``nobuffer`` would throw away what comes in that time: the first key
frame."""

UNTIMED_FORMATS = {"mpjpeg", "mjpeg"}
"""Formats without timestamps: FFmpeg makes them up, for 25 frames per second."""

SEGMENTED_FORMATS = {"hls", "dash"}
SEGMENT_PATIENCE_S = 30.0
"""They send nothing until a whole segment is there, which may take several times its length."""

STILL_INTERVAL_S = 0.5
"""A still picture behind an address is fetched so often."""

DEVICE = "/dev/video"


@dataclass(frozen=True)
class LiveFrame:
    """A decoded frame, with what its stream states of itself.

    Attributes:
        timed: whether its timestamp comes from the camera, rather than from counting frames.
    """

    frame: av.VideoFrame
    timed: bool
    stated: Stated


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
    if address.isdigit() and sys.platform != "linux":
        yield from _camera_frames(int(address))
    else:
        yield from _ffmpeg_frames(address, settings)


def device_of(address: str) -> tuple[str, str] | None:
    """FFmpeg's name of a camera on this machine, and its format; None for other addresses."""
    if address.isdigit():
        return f"{DEVICE}{address}", "v4l2"
    return (address, "v4l2") if address.startswith(DEVICE) else None


def _ffmpeg_frames(address: str, settings: LiveSettings) -> Iterator[LiveFrame]:
    patience_s = settings.read_timeout_s
    while True:
        with _opened(address, settings.open_timeout_s, patience_s) as container:
            kind = container.format.name
            if kind in SEGMENTED_FORMATS and patience_s < SEGMENT_PATIENCE_S:
                patience_s = SEGMENT_PATIENCE_S  # It can only be set when opening.
                continue
            if not (kind.startswith("image2") or kind.endswith("_pipe")):
                _refuse_recorded(container, address)
                yield from _decoded(container, timed=kind not in UNTIMED_FORMATS)
                return
            yield from _still(container)
        sleep(STILL_INTERVAL_S)


@contextmanager
def _opened(address: str, timeout_s: float, patience_s: float) -> Iterator[InputContainer]:
    """A connection, closed at the end; where FFmpeg's words for what went wrong are not plain,
    others take their place."""
    name, form = device_of(address) or (address, None)
    waiting = f"no answer within {timeout_s:g} s"
    try:
        with av.open(
            name,
            format=form,
            options={} if form else OPTIONS,
            timeout=(timeout_s, patience_s),
            metadata_errors="replace",
        ) as container:
            waiting = f"nothing came for {patience_s:g} s"
            yield container
    except av.error.ExitError as error:
        raise TimeoutError(waiting) from error
    except (av.FFmpegError, OSError) as error:
        if error.errno == errno.EIO:
            raise ConnectionError("the connection broke off") from error
        if isinstance(error, EOFError):
            raise ConnectionError("the connection was closed") from error
        raise


def _refuse_recorded(container: InputContainer, address: str) -> None:
    """It would arrive faster than it plays. What is live has no end: no size, as far as the server
    says, and no last segment."""
    ends = container.size > 0 or container.format.name in SEGMENTED_FORMATS
    if container.duration and ends and address.lower().startswith("http"):
        raise SourceError(
            f"it is a recorded video of {container.duration / av.time_base:.0f} s, not a live "
            "stream; download it, and give the file"
        )


def _still(container: InputContainer) -> Iterator[LiveFrame]:
    """What is behind the address of a still picture; how the connection ends does not matter."""
    there = False
    try:
        for frame in _decoded(container, timed=False):
            there = True
            yield frame
    except (av.FFmpegError, OSError):
        if not there:
            raise
    if not there:
        raise ValueError("its picture cannot be decoded")


def _decoded(container: InputContainer, timed: bool) -> Iterator[LiveFrame]:
    if not container.streams.video:
        raise ValueError("no pictures in it, only sound or data")
    stream = container.streams.video[0]
    for packet in of_known_streams(container.demux(stream)):
        try:
            frames = packet.decode()
        except av.error.InvalidDataError:  # One broken picture; the next ones may be whole.
            continue
        for frame in frames:
            yield LiveFrame(frame, timed, Stated.of(stream))


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
            yield LiveFrame(frame, False, Stated("raw", known_rate))
    finally:
        camera.release()
