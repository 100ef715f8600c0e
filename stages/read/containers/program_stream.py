"""MPEG program streams (ISO/IEC 13818-1): packets that begin with a start code."""

from __future__ import annotations

import mmap

from stages.read.containers.chain import BrokenError, follow_parts

SECTOR_BYTES = 2048
"""Of discs; packets of sound on a Video CD are shorter, and zeros fill the rest."""


def follow(data: mmap.mmap) -> None:
    if data[:4] != b"RIFF":  # The wrapping of a Video CD.
        follow_parts(data, 0, len(data), _packet_end)


def _packet_end(data: mmap.mmap, at: int) -> int:
    sector_end = -(-at // SECTOR_BYTES) * SECTOR_BYTES
    if at < sector_end <= len(data) and not any(data[at:sector_end]):
        return sector_end
    if data[at : at + 3] != b"\0\0\1" or data[at + 3] < 0xB9:
        raise BrokenError(at)
    if data[at + 3] == 0xB9:
        return at + 4
    if data[at + 3] != 0xBA:
        return at + 6 + int.from_bytes(data[at + 4 : at + 6])
    return at + 14 + (data[at + 13] & 7) if data[at + 4] >> 6 == 1 else at + 12
