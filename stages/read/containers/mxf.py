"""MXF (SMPTE 377): values with a key of 16 bytes, which all begin alike, and a size."""

from __future__ import annotations

import mmap

from stages.read.containers.chain import BrokenError, follow_parts

KEY = bytes.fromhex("060e2b34")


def follow(data: mmap.mmap) -> None:
    if data[:4] == KEY:
        follow_parts(data, 0, len(data), _value_end)


def _value_end(data: mmap.mmap, at: int) -> int:
    if data[at : at + 4] != KEY:
        raise BrokenError(at)
    size, at = data[at + 16], at + 17
    if size < 0x80:
        return at + size
    return at + (size & 0x7F) + int.from_bytes(data[at : at + (size & 0x7F)])
