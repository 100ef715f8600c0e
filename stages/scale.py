"""Scale and convert pictures."""

from __future__ import annotations

import threading
from typing import Any

import av
from av.video.reformatter import VideoReformatter


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
