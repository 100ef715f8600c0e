"""Whether the parts of a video file follow one another up to its end.

Each container is a chain of parts that state their own size. Where the chain is broken, FFmpeg's
demuxers look for the next part that they know, and tell nobody what they have skipped. So the chain
is followed here as well, from head to head, without the contents.
"""

from __future__ import annotations

import mmap
from collections.abc import Callable
from pathlib import Path

from stages.read.containers import (
    asf,
    avi,
    dv,
    flash,
    matroska,
    motion_jpeg,
    mp4,
    mxf,
    ogg,
    program_stream,
    transport_stream,
)
from stages.read.containers.chain import BrokenError, CutOffError

CHAINS: dict[str, Callable[[mmap.mmap], None]] = {
    "asf": asf.follow,
    "avi": avi.follow,
    "dv": dv.follow,
    "flv": flash.follow,
    "matroska,webm": matroska.follow,
    "mjpeg": motion_jpeg.follow,
    "mov,mp4,m4a,3gp,3g2,mj2": mp4.follow,
    "mpeg": program_stream.follow,
    "mpegts": transport_stream.follow,
    "mxf": mxf.follow,
    "ogg": ogg.follow,
}
"""By FFmpeg's name of the container."""


def layout_fault(path: Path, format_name: str) -> str | None:
    """What is wrong with the chain of parts of a file, in words.

    Args:
        format_name: FFmpeg's name of the container.

    Returns:
        None if nothing is, or if this kind of container is not known here.
    """
    follow = CHAINS.get(format_name)
    if follow is None:
        return None
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
        try:
            follow(data)
        except BrokenError as error:
            return f"the file is damaged at byte {error}, where its next part should begin"
        except CutOffError as error:
            return f"the file is cut off: it ends at byte {len(data)}, not at byte {error}"
        except IndexError:  # Within the head of a part.
            return f"the file is cut off: it ends at byte {len(data)}"
    return None
