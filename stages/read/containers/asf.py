"""Windows Media (ASF): objects of an id, a size and a content; one holds packets of equal size."""

from __future__ import annotations

import mmap

from stages.read.containers.chain import BrokenError, CutOffError

DATA = bytes.fromhex("3626b2758e66cf11a6d900aa0062ce6c")
PROPERTIES = bytes.fromhex("a1dcab8c47a9cf118ee400c00c205365")
FLAGS, PACKET_SIZE = 88, slice(92, 96)
"""Where the properties have them; the first flag says that sizes were not known yet."""


def follow(data: mmap.mmap) -> None:
    at = 0
    while at + 24 <= len(data):
        end = at + int.from_bytes(data[at + 16 : at + 24], "little")
        if data[at : at + 16] == DATA:
            properties = data[data.find(PROPERTIES, 0, at) : at]
            if properties[FLAGS] & 1:
                return
            packet_bytes = int.from_bytes(properties[PACKET_SIZE], "little")
            _follow_packets(data, at + 50, min(end, len(data)), packet_bytes)
        if end < at + 24:
            raise BrokenError(at)
        at = end
    if at > len(data):
        raise CutOffError(at)


def _follow_packets(data: mmap.mmap, at: int, end: int, size: int) -> None:
    """Each begins with the same byte, which says how it is laid out."""
    for number, first in enumerate(data[at : end : max(1, size)]):
        if first != data[at]:
            raise BrokenError(at + number * size)
