"""Ogg (RFC 3533): pages with a number and a checksum."""

from __future__ import annotations

import mmap
import zlib

from stages.read.containers.chain import BrokenError, CutOffError, follow_parts

REVERSED_BITS = bytes(int(f"{byte:08b}"[::-1], 2) for byte in range(256))


def follow(data: mmap.mmap) -> None:
    numbers: dict[bytes, int] = {}

    def page_end(data: mmap.mmap, at: int) -> int:
        if data[at : at + 4] != b"OggS":
            raise BrokenError(at)
        sizes = data[at + 27 : at + 27 + data[at + 26]]
        end = at + 27 + len(sizes) + sum(sizes)
        if end > len(data):
            raise CutOffError(end)
        stream, number = data[at + 14 : at + 18], int.from_bytes(data[at + 18 : at + 22], "little")
        page = data[at : at + 22] + bytes(4) + data[at + 26 : end]
        checksum = int.from_bytes(data[at + 22 : at + 26], "little")
        if number != numbers.get(stream, number) or checksum != _checksum(page):
            raise BrokenError(at)
        numbers[stream] = number + 1
        return end

    follow_parts(data, 0, len(data), page_end)


def _checksum(page: bytes) -> int:
    """The CRC that zlib computes, but of bits in the opposite order, and not inverted."""
    crc = zlib.crc32(page.translate(REVERSED_BITS), 2**32 - 1) ^ (2**32 - 1)
    return int(f"{crc:032b}"[::-1], 2)
