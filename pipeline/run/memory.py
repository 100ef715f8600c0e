"""Give memory that is no longer used back to the system."""

from __future__ import annotations

import ctypes
import gc
import sys


def give_memory_back() -> None:
    """Between videos, and after a live stream was interrupted: threads end, and others begin.

    Linux's C library keeps what each thread has freed for that thread and the next, in pieces that
    fit ever worse: a process would grow with each video.
    """
    gc.collect()  # FFmpeg's objects refer to one another.
    if sys.platform == "linux":
        trim = getattr(ctypes.CDLL(None), "malloc_trim", None)  # Not every C library has it.
        if trim is not None:
            trim(0)
