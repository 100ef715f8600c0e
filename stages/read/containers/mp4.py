"""MP4 and QuickTime (ISO/IEC 14496-12): boxes of a size, a type and a content."""

from __future__ import annotations

import mmap

from stages.read.containers.chain import BrokenError, CutOffError


def follow(data: mmap.mmap) -> None:
    """Of a plain file, whose index says where each frame lies, only that it is not cut off."""
    at, fragmented = 0, False
    while at < len(data):
        kind, start, end = _box(data, at, len(data))
        if not kind.isalnum() or end < start:
            if fragmented:
                raise BrokenError(at)
            return
        if end > len(data):
            raise CutOffError(end)
        if kind == b"moof":
            fragmented = True
            _boxes(data, start, end)
        at = end


def _boxes(data: mmap.mmap, at: int, end: int) -> None:
    """Follow the boxes of a fragment's head."""
    while at < end:
        kind, start, box_end = _box(data, at, end)
        if not kind.isalnum() or not start <= box_end <= end:
            raise BrokenError(at)
        if kind == b"traf":
            _boxes(data, start, box_end)
        at = box_end


def _box(data: mmap.mmap, at: int, end: int) -> tuple[bytes, int, int]:
    """Type of the box that begins at a byte, begin and end of its content."""
    size, kind, start = int.from_bytes(data[at : at + 4]), data[at + 4 : at + 8], at + 8
    if size == 1:
        size, start = int.from_bytes(data[at + 8 : at + 16]), at + 16
    return kind, start, at + size if size else end
