"""What FFmpeg and PyAV need: addresses, reasons of errors, packets, scaling."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, TypeVar

import av
from av.video.reformatter import VideoReformatter


def address_of(path: Path) -> str:
    """A file's address for PyAV: absolute, as FFmpeg takes what precedes a colon for a protocol."""
    return str(path.absolute())


def reason_of(error: BaseException) -> str:
    """The reason that FFmpeg or the system gives."""
    return getattr(error, "strerror", None) or str(error)


Packet = TypeVar("Packet")


def of_known_streams(packets: Iterable[Packet]) -> Iterator[Packet]:
    """What ``demux`` yields, without its error at the end: where a stream first appeared on the
    way, PyAV tries to flush it, too, but does not know it."""
    try:
        yield from packets
    except IndexError:
        return


def reformat(frame: av.VideoFrame, **wanted: Any) -> av.VideoFrame:
    """As PyAV's method of the frame, with the same arguments.

    That one sets libswscale up anew for each frame, with threads of its own; here every thread of
    ours keeps what was set up last, and works by itself.
    """
    return _OF_THREAD.reformatter.reformat(frame, **wanted, threads=1)


class _OfThread(threading.local):
    def __init__(self) -> None:
        self.reformatter = VideoReformatter()


_OF_THREAD = _OfThread()
