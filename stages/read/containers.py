"""Containers whose parts are more than heads one after the other: how to follow each.

``layout`` has the others, says why, and what is yielded.
"""

from __future__ import annotations

import os
from bisect import bisect
from collections.abc import Generator, Iterator
from typing import BinaryIO, overload

import numpy as np
from numpy.typing import NDArray


class FileBytes:
    """The bytes of a file, each read when it is asked for. Unlike a memory map, it does not end the
    process where somebody cuts the file off meanwhile."""

    def __init__(self, file: BinaryIO) -> None:
        self._file, self._size = file, os.fstat(file.fileno()).st_size

    def __len__(self) -> int:
        return self._size

    @overload
    def __getitem__(self, key: int) -> int: ...
    @overload
    def __getitem__(self, key: slice) -> bytes: ...
    def __getitem__(self, key: int | slice) -> int | bytes:
        if isinstance(key, int):
            self._file.seek(key)
            return self._file.read(1)[0]
        start, stop, step = key.indices(self._size)
        self._file.seek(start)
        return self._file.read(max(0, stop - start))[::step]


class BrokenError(Exception):
    """No part begins at this byte."""


class CutOffError(Exception):
    """A part goes beyond the end of the file, up to this byte."""


EBML_HEADER, SEGMENT, CLUSTER, TRACKS = "1a45dfa3", "18538067", "1f43b675", "1654ae6b"
TRACK, TRACK_NUMBER, BLOCK_GROUP = "ae", "d7", "a0"
BLOCKS = {"a1", "a3"}
ANYWHERE = {"ec", "bf"}
ELEMENTS = {
    SEGMENT: {CLUSTER, TRACKS, "114d9b74", "1549a966", "1c53bb6b", "1941a469", "1043a770",
              "1254c367"},
    CLUSTER: {"e7", "5854", "a7", "ab", "a3", BLOCK_GROUP, "af"},
    BLOCK_GROUP: {"a1", "a2", "75a1", "9b", "fa", "fb", "fd", "a4", "75a2", "8e", "c8"},
}  # fmt: skip
"""What each of these may contain."""


def follow_matroska(data: FileBytes) -> Iterator[int]:
    """Matroska and WebM (RFC 9559): elements of an id, a size and a content or further elements."""
    tracks: set[int] = set()
    at, open_ended = 0, True
    while _name(data, at) in (EBML_HEADER, SEGMENT, *ANYWHERE):
        name, start, end = _element(data, at)
        open_ended = end is None
        at = end or len(data)
        if name == SEGMENT:
            at = yield from _elements(data, name, start, end, tracks)
    # Other things may lie behind a segment of known size; but not what belongs into it.
    if at < len(data) and (open_ended or _name(data, at) in ELEMENTS[SEGMENT] | ELEMENTS[CLUSTER]):
        raise BrokenError(at)
    if at > len(data):
        raise CutOffError(at)


def _elements(
    data: FileBytes, parent: str, at: int, end: int | None, tracks: set[int]
) -> Generator[int, None, int]:
    """Follow the elements in another one; returns where it ends."""
    while at < (len(data) if end is None else end):
        yield at
        name, start, child_end = _element(data, at)
        if name not in ELEMENTS[parent] | ANYWHERE:
            if end is None:  # Of unknown size: it ends where something else begins.
                return at
            raise BrokenError(at)
        if child_end is not None and child_end > len(data):
            raise CutOffError(child_end)
        if child_end is not None and end is not None and child_end > end:
            raise BrokenError(at)
        if name == TRACKS and child_end is not None:
            tracks |= _track_numbers(data, start, child_end)
        if name in BLOCKS and tracks and _number(data, start)[0] not in tracks:
            raise BrokenError(at)
        if name in ELEMENTS:
            at = yield from _elements(data, name, start, child_end, tracks)
        elif child_end is None:
            raise BrokenError(at)
        else:
            at = child_end
    return at


def _track_numbers(data: FileBytes, at: int, end: int) -> set[int]:
    numbers = set()
    while at < end:
        name, start, element_end = _element(data, at)
        if element_end is None:
            raise BrokenError(at)
        if name == TRACK_NUMBER:
            numbers.add(int.from_bytes(data[start:element_end]))
        at = start if name == TRACK else element_end
    return numbers


def _element(data: FileBytes, at: int) -> tuple[str, int, int | None]:
    """Id of the element that begins at a byte, begin and end of its content; no end: unknown."""
    name = _name(data, at)
    if name is None:
        raise BrokenError(at)
    after_id = at + len(name) // 2
    size, start = _number(data, after_id)
    unknown = size == 2 ** (7 * (start - after_id)) - 1
    return name, start, None if unknown else start + size


def _name(data: FileBytes, at: int) -> str | None:
    """Id of the element that begins at a byte; None if none does."""
    if at >= len(data) or (length := 9 - data[at].bit_length()) > 4:
        return None
    return data[at : at + length].hex()


def _number(data: FileBytes, at: int) -> tuple[int, int]:
    """A number of variable length, and where it ends."""
    length = 9 - data[at].bit_length()
    if length > 8:
        raise BrokenError(at)
    return int.from_bytes(data[at : at + length]) & (2 ** (7 * length) - 1), at + length


TS_PACKET_BYTES = 188, 192, 204
"""Plain, with a timestamp in front (Blu-ray's M2TS), or with error correction behind (DVB)."""

PROGRAM_LIST, FIRST_STREAM, STUFFING = 0, 0x20, 0x1FFF
"""Numbers of streams; those below the first one hold tables."""

CHECKED_PACKETS = 2**16
"""So many at once."""


def follow_transport_stream(data: FileBytes) -> Iterator[int]:
    """MPEG transport streams (ISO/IEC 13818-1): packets of equal size that begin with a G."""
    for size in TS_PACKET_BYTES:
        first = 4 if size == 192 else 0
        if data[first : first + 5 * size : size] == b"G" * 5:
            break
    else:
        raise BrokenError(0)
    counters = _Counters()
    end = len(data) // size * size
    for at in range(0, end, CHECKED_PACKETS * size):
        yield at + CHECKED_PACKETS * size
        part = np.frombuffer(data[at : at + CHECKED_PACKETS * size], np.uint8)
        packets = part[: len(part) // size * size].reshape(-1, size)
        unmarked = packets[:, first] != ord("G")
        if unmarked.any():
            raise BrokenError(at + int(unmarked.argmax()) * size)
        if (broken := counters.first_broken(packets[:, first:])) is not None:
            raise BrokenError(broken * size)
    if end < len(data):
        raise CutOffError(end + size) if data[end + first :][:1] in b"G" else BrokenError(end)


class _Counters:
    """Every stream counts its packets; a packet is broken if another one is missing before it.

    All streams count anew where the list of programs does, or where both begin with 0: there, files
    were put one after the other, as those of a stream in segments are.
    """

    def __init__(self) -> None:
        self._packets = 0
        self._last: dict[int, tuple[int, int]] = {}
        self._new_starts: list[int] = []
        self._zeros: list[int] = []

    def first_broken(self, packets: NDArray[np.uint8]) -> int | None:
        """The number of the first broken one of the next packets (n, 188); None if none is."""
        flags = packets[:, 3]
        stream = (packets[:, 1].astype(np.int32) & 0x1F) << 8 | packets[:, 2]
        announced = (flags & 0x20 > 0) & (packets[:, 4] > 0) & (packets[:, 5] & 0x80 > 0)
        has_content, counter = flags & 0x10 > 0, flags & 15
        broken = np.flatnonzero(packets[:, 1] & 0x80)[:1].tolist()  # The receiver said so.
        for number in np.unique(stream):
            if number == STUFFING or PROGRAM_LIST < number < FIRST_STREAM:
                continue
            rows = np.flatnonzero((stream == number) & has_content)
            if not len(rows):
                continue
            at, counts = self._packets + rows, counter[rows]
            last_at, last_count = self._last.get(number, (-1, int(counts[0]) - 1))
            self._last[number] = int(at[-1]), int(counts[-1])
            steps = np.diff(counts, prepend=np.uint8(last_count & 15)) & 15
            if number == PROGRAM_LIST:  # The first of all streams.
                self._new_starts += at[steps != 1].tolist()
                self._zeros += at[counts == 0].tolist()
                continue
            for row in np.flatnonzero((steps > 1) & ~announced[rows]).tolist():
                before = int(at[row - 1]) if row else last_at
                if not self._begins_anew(before, int(at[row]), int(counts[row])):
                    broken.append(int(rows[row]))
                    break
        self._packets += len(packets)
        return self._packets - len(packets) + min(broken) if broken else None

    def _begins_anew(self, before: int, at: int, count: int) -> bool:
        lists = [self._new_starts, self._zeros] if count == 0 else [self._new_starts]
        return any(bisect(starts, before) < bisect(starts, at) for starts in lists)


ASF_DATA = bytes.fromhex("3626b2758e66cf11a6d900aa0062ce6c")
ASF_PROPERTIES = bytes.fromhex("a1dcab8c47a9cf118ee400c00c205365")
ASF_FLAGS, ASF_PACKET_SIZE = 88, slice(92, 96)
"""Where the properties have them; the first flag says that sizes were not known yet."""


def follow_asf(data: FileBytes) -> Iterator[int]:
    """Windows Media (ASF): objects of an id, a size and a content; one holds equal packets."""
    at = 0
    while at + 24 <= len(data):
        end = at + int.from_bytes(data[at + 16 : at + 24], "little")
        if data[at : at + 16] == ASF_DATA:
            head = data[:at]
            properties = head[head.find(ASF_PROPERTIES) :]
            if properties[ASF_FLAGS] & 1:
                return
            packet_bytes = int.from_bytes(properties[ASF_PACKET_SIZE], "little")
            yield from _follow_asf_packets(data, at + 50, min(end, len(data)), packet_bytes)
        if end < at + 24:
            raise BrokenError(at)
        at = end
    if at > len(data):
        raise CutOffError(at)


def _follow_asf_packets(data: FileBytes, at: int, end: int, size: int) -> Iterator[int]:
    """Each packet holds payloads: pieces of objects, which every stream numbers one by one."""
    newest: dict[int, int] = {}
    for packet in range(at, end - size + 1, size) if size else ():
        yield packet + size
        try:
            for stream, number in _asf_payloads(data[packet : packet + size]):
                if (number - newest.get(stream, number)) & 0xFF > 1:
                    raise BrokenError(packet)
                newest[stream] = number
        except IndexError:  # A payload goes beyond its packet.
            raise BrokenError(packet) from None


def _asf_payloads(packet: bytes) -> Iterator[tuple[int, int]]:
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
