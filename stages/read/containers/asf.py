"""Windows Media (ASF): objects of an id, a size and a content; one holds packets of equal size."""

from __future__ import annotations

import mmap
from collections.abc import Iterator

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
    """Each packet holds payloads: pieces of objects, which every stream numbers one by one."""
    newest: dict[int, int] = {}
    for packet in range(at, end - size + 1, size) if size else ():
        try:
            for stream, number in _payloads(data[packet : packet + size]):
                if (number - newest.get(stream, number)) & 0xFF > 1:
                    raise BrokenError(packet)
                newest[stream] = number
        except IndexError:  # A payload goes beyond its packet.
            raise BrokenError(packet) from None


def _payloads(packet: bytes) -> Iterator[tuple[int, int]]:
    """Number of the stream, and last byte of the number of the object, of each payload."""
    at = 1 + (packet[0] & 0x0F) if packet[0] & 0x80 else 0
    lengths, properties = packet[at], packet[at + 1]
    at += 2

    def field(kind: int) -> int:
        """The next number: of 0, 1, 2 or 4 bytes."""
        nonlocal at
        begin, at = at, at + (0, 1, 2, 4)[kind & 3]
        return int.from_bytes(packet[begin:at], "little")

    _, _, padding = (field(kind) for kind in (lengths >> 5, lengths >> 1, lengths >> 3))
    at += 6  # Times; before them the packet's length and number.
    several, count = lengths & 1, 1
    if several:
        several, count = packet[at] >> 6, packet[at] & 0x3F
        at += 1
    for _ in range(count):
        stream, number = packet[at] & 0x7F, packet[at + 1]
        at += 1
        field(properties >> 4)
        field(properties >> 2)
        extra = field(properties)
        at += extra
        length = field(several) if several else len(packet) - padding - at
        begin, at = at, at + length
        if not stream or at > len(packet):
            raise IndexError
        yield stream, number & 0xFF
        while extra == 1 and (begin := begin + 1 + packet[begin]) < at:  # Many small objects.
            number += 1
            yield stream, number & 0xFF
