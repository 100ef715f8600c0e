"""Whether the parts of a video file follow one another up to its end.

Each container is a chain of parts that state their own size. Where the chain is broken, FFmpeg's
demuxers look for the next part that they know, and tell nobody what they have skipped. So the chain
is followed here as well, from head to head, without the contents.
"""

from __future__ import annotations

import mmap
import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np


class _BrokenError(Exception):
    """No part begins at this byte."""


class _CutOffError(Exception):
    """A part goes beyond the end of the file, up to this byte."""


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
        except _BrokenError as error:
            return f"the file is damaged at byte {error}, where its next part should begin"
        except (_CutOffError, IndexError) as error:
            end = f", not at byte {error}" if isinstance(error, _CutOffError) else ""
            return f"the file is cut off: it ends at byte {len(data)}{end}"
    return None


def _follow(data: mmap.mmap, at: int, end: int, next_part: Callable[[mmap.mmap, int], int]) -> None:
    """From part to part; ``next_part`` tells where the one at a byte ends."""
    while at < end:
        at = next_part(data, at)
    if at > end:
        raise _CutOffError(at)


# Matroska and WebM (RFC 9559): elements of an id, a size and a content, which may be elements.

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


def _matroska(data: mmap.mmap) -> None:
    tracks: set[int] = set()
    at = 0
    while at < len(data) and _element(data, at)[0] in (EBML_HEADER, SEGMENT, *ANYWHERE):
        name, start, end = _element(data, at)
        at = _elements(data, name, start, end, tracks) if name == SEGMENT else end or len(data)
    # Other things may lie behind; but not what belongs into the segment.
    if at < len(data) and _element(data, at)[0] in ELEMENTS[SEGMENT] | ELEMENTS[CLUSTER]:
        raise _BrokenError(at)
    if at > len(data):
        raise _CutOffError(at)


def _elements(data: mmap.mmap, parent: str, at: int, end: int | None, tracks: set[int]) -> int:
    """Follow the elements in another one; returns where it ends."""
    while at < (len(data) if end is None else end):
        name, start, child_end = _element(data, at)
        if name not in ELEMENTS[parent] | ANYWHERE:
            if end is None:  # Of unknown size: it ends where something else begins.
                return at
            raise _BrokenError(at)
        if child_end is not None and child_end > len(data):
            raise _CutOffError(child_end)
        if child_end is not None and end is not None and child_end > end:
            raise _BrokenError(at)
        if name == TRACKS and child_end is not None:
            tracks |= _track_numbers(data, start, child_end)
        if name in BLOCKS and tracks and _number(data, start)[0] not in tracks:
            raise _BrokenError(at)
        if name in ELEMENTS:
            at = _elements(data, name, start, child_end, tracks)
        elif child_end is None:
            raise _BrokenError(at)
        else:
            at = child_end
    return at


def _track_numbers(data: mmap.mmap, at: int, end: int) -> set[int]:
    numbers = set()
    while at < end:
        name, start, element_end = _element(data, at)
        if element_end is None:
            raise _BrokenError(at)
        if name == TRACK_NUMBER:
            numbers.add(int.from_bytes(data[start:element_end]))
        at = start if name == TRACK else element_end
    return numbers


def _element(data: mmap.mmap, at: int) -> tuple[str, int, int | None]:
    """Id of the element that begins at a byte, begin and end of its content; no end: unknown."""
    id_length = 9 - data[at].bit_length()
    if id_length > 4:
        raise _BrokenError(at)
    size, start = _number(data, at + id_length)
    unknown = size == 2 ** (7 * (start - at - id_length)) - 1
    return data[at : at + id_length].hex(), start, None if unknown else start + size


def _number(data: mmap.mmap, at: int) -> tuple[int, int]:
    """A number of variable length, and where it ends."""
    length = 9 - data[at].bit_length()
    if length > 8:
        raise _BrokenError(at)
    return int.from_bytes(data[at : at + length]) & (2 ** (7 * length) - 1), at + length


# MP4 and QuickTime (ISO/IEC 14496-12): boxes of a size, a type and a content.


def _mp4(data: mmap.mmap) -> None:
    """Of a plain file, whose index says where each frame lies, only that it is not cut off."""
    at, fragmented = 0, False
    while at < len(data):
        kind, start, end = _box(data, at, len(data))
        if not kind.isalnum() or end < start:
            if fragmented:
                raise _BrokenError(at)
            return
        if end > len(data):
            raise _CutOffError(end)
        if kind == b"moof":
            fragmented = True
            _boxes(data, start, end)
        at = end


def _boxes(data: mmap.mmap, at: int, end: int) -> None:
    """Follow the boxes of a fragment's head."""
    while at < end:
        kind, start, box_end = _box(data, at, end)
        if not kind.isalnum() or not start <= box_end <= end:
            raise _BrokenError(at)
        if kind == b"traf":
            _boxes(data, start, box_end)
        at = box_end


def _box(data: mmap.mmap, at: int, end: int) -> tuple[bytes, int, int]:
    """Type of the box that begins at a byte, begin and end of its content."""
    size, kind, start = int.from_bytes(data[at : at + 4]), data[at + 4 : at + 8], at + 8
    if size == 1:
        size, start = int.from_bytes(data[at + 8 : at + 16]), at + 16
    return kind, start, at + size if size else end


# AVI: chunks of a type, a size and a content, of an even number of bytes.

UNKNOWN_CHUNK_SIZES = (0, 2**32 - 2**16)
"""A recorder that was killed leaves 0; one beyond 4 GB may leave anything near its limit."""


def _avi(data: mmap.mmap) -> None:
    at = 0
    while data[at : at + 4] == b"RIFF":
        end = _chunk_end(data, at)
        _chunks(data, at + 12, min(end, len(data)), in_movie=False)
        if end > len(data):
            raise _CutOffError(end)
        at = end


def _chunks(data: mmap.mmap, at: int, end: int, in_movie: bool) -> None:
    while at + 8 <= end:
        if not _is_chunk(data, at, in_movie) and _is_chunk(data, at - 1, in_movie):
            at -= 1  # Some writers leave the padding out.
        if not _is_chunk(data, at, in_movie):
            raise _BrokenError(at)
        chunk_end = _chunk_end(data, at)
        if data[at : at + 4] == b"LIST" and data[at + 8 : at + 12] in (b"movi", b"rec "):
            _chunks(data, at + 12, min(chunk_end, end), in_movie=True)
        if chunk_end > len(data) + 1:
            raise _CutOffError(chunk_end)
        at = chunk_end


def _is_chunk(data: mmap.mmap, at: int, in_movie: bool) -> bool:
    kind = data[at : at + 4]
    if not in_movie or kind in (b"LIST", b"JUNK", b"idx1"):
        return kind.isascii() and kind.decode().isprintable()
    return kind[:2].isdigit() or kind[:2] == b"ix"


def _chunk_end(data: mmap.mmap, at: int) -> int:
    size = int.from_bytes(data[at + 4 : at + 8], "little")
    nothing, unknown = UNKNOWN_CHUNK_SIZES
    is_list = data[at : at + 4] in (b"RIFF", b"LIST")
    if is_list and (size == nothing or size >= unknown):
        return len(data)
    return at + 8 + size + size % 2


# Flash video: tags of a type, a size and a content, followed by their whole size.


def _flv(data: mmap.mmap) -> None:
    try:
        _follow(data, int.from_bytes(data[5:9]) + 4, len(data), _flv_tag_end)
    except _CutOffError as error:
        if int(str(error)) > len(data) + 4:  # Some writers leave out the last tag's whole size.
            raise


def _flv_tag_end(data: mmap.mmap, at: int) -> int:
    if data[at] & 0x1F not in (8, 9, 18):
        raise _BrokenError(at)
    return at + 11 + int.from_bytes(data[at + 1 : at + 4]) + 4


# Ogg (RFC 3533): pages with a number and a checksum.

REVERSED_BITS = bytes(int(f"{byte:08b}"[::-1], 2) for byte in range(256))


def _ogg(data: mmap.mmap) -> None:
    numbers: dict[bytes, int] = {}

    def page_end(data: mmap.mmap, at: int) -> int:
        if data[at : at + 4] != b"OggS":
            raise _BrokenError(at)
        sizes = data[at + 27 : at + 27 + data[at + 26]]
        end = at + 27 + len(sizes) + sum(sizes)
        if end > len(data):
            raise _CutOffError(end)
        stream, number = data[at + 14 : at + 18], int.from_bytes(data[at + 18 : at + 22], "little")
        page = data[at : at + 22] + bytes(4) + data[at + 26 : end]
        checksum = int.from_bytes(data[at + 22 : at + 26], "little")
        if number != numbers.get(stream, number) or checksum != _ogg_checksum(page):
            raise _BrokenError(at)
        numbers[stream] = number + 1
        return end

    _follow(data, 0, len(data), page_end)


def _ogg_checksum(page: bytes) -> int:
    """The CRC that zlib computes, but of bits in the opposite order, and not inverted."""
    crc = zlib.crc32(page.translate(REVERSED_BITS), 2**32 - 1) ^ (2**32 - 1)
    return int(f"{crc:032b}"[::-1], 2)


# Windows Media (ASF): objects of an id, a size and a content; one holds packets of equal size.

ASF_DATA = bytes.fromhex("3626b2758e66cf11a6d900aa0062ce6c")
ASF_PROPERTIES = bytes.fromhex("a1dcab8c47a9cf118ee400c00c205365")
ASF_FLAGS, ASF_PACKET_SIZE = 88, slice(92, 96)
"""Where the properties have them; the first flag says that sizes were not known yet."""


def _asf(data: mmap.mmap) -> None:
    at = 0
    while at + 24 <= len(data):
        end = at + int.from_bytes(data[at + 16 : at + 24], "little")
        if data[at : at + 16] == ASF_DATA:
            properties = data[data.find(ASF_PROPERTIES, 0, at) : at]
            if properties[ASF_FLAGS] & 1:
                end = len(data)
            packet_bytes = int.from_bytes(properties[ASF_PACKET_SIZE], "little")
            _asf_packets(data, at + 50, min(end, len(data)), packet_bytes)
        if end < at + 24:
            raise _BrokenError(at)
        at = end
    if at > len(data):
        raise _CutOffError(at)


def _asf_packets(data: mmap.mmap, at: int, end: int, size: int) -> None:
    """Each begins with the same byte, which says how it is laid out."""
    for number, first in enumerate(data[at : end : max(1, size)]):
        if first != data[at]:
            raise _BrokenError(at + number * size)


# MXF (SMPTE 377): values with a key of 16 bytes, which all begin alike, and a size.

MXF_KEY = bytes.fromhex("060e2b34")


def _mxf(data: mmap.mmap) -> None:
    if data[:4] == MXF_KEY:
        _follow(data, 0, len(data), _mxf_value_end)


def _mxf_value_end(data: mmap.mmap, at: int) -> int:
    if data[at : at + 4] != MXF_KEY:
        raise _BrokenError(at)
    size, at = data[at + 16], at + 17
    if size < 0x80:
        return at + size
    return at + (size & 0x7F) + int.from_bytes(data[at : at + (size & 0x7F)])


# MPEG program streams (ISO/IEC 13818-1): packets that begin with a start code.


def _program_stream(data: mmap.mmap) -> None:
    if data[:4] == b"\0\0\1\xba":  # Not in the wrapping of a Video CD.
        _follow(data, 0, len(data), _program_packet_end)


def _program_packet_end(data: mmap.mmap, at: int) -> int:
    if data[at : at + 3] != b"\0\0\1" or data[at + 3] < 0xB9:
        raise _BrokenError(at)
    if data[at + 3] == 0xB9:
        return at + 4
    if data[at + 3] != 0xBA:
        return at + 6 + int.from_bytes(data[at + 4 : at + 6])
    return at + 14 + (data[at + 13] & 7) if data[at + 4] >> 6 == 1 else at + 12


# MPEG transport streams (ISO/IEC 13818-1): packets of equal size that begin with the same byte.

TRANSPORT_PACKET_BYTES = 188, 192, 204
"""Plain, with a timestamp in front (Blu-ray's M2TS), or with error correction behind (DVB)."""

PROGRAM_LIST, FIRST_STREAM, STUFFING = 0, 0x20, 0x1FFF
"""Numbers of streams; those below the first one hold tables."""

CHECKED_PACKETS = 2**16
"""So many at once."""


def _transport_stream(data: mmap.mmap) -> None:
    for size in TRANSPORT_PACKET_BYTES:
        first = 4 if size == 192 else 0
        if data[first : first + 5 * size : size] == b"G" * 5:
            break
    else:
        raise _BrokenError(0)
    sync = data[first::size]
    if sync.count(b"G") < len(sync):
        raise _BrokenError(next(i for i, byte in enumerate(sync) if byte != ord("G")) * size)
    for at in range(0, len(data) // size * size, CHECKED_PACKETS * size):
        part = np.frombuffer(data[at : at + CHECKED_PACKETS * size], np.uint8)
        packets = part[: len(part) // size * size].reshape(-1, size)
        if (gap := _counter_gap(packets[:, first:])) is not None:
            raise _BrokenError(at + gap * size)
    if missing := -len(data) % size:
        raise _CutOffError(len(data) + missing)


def _counter_gap(packets: np.ndarray) -> int | None:
    """The first packet before which another one of its stream is missing; None if there is none.

    All streams count their packets anew where the list of programs does: there, files were put one
    after the other.
    """
    flags = packets[:, 3]
    stream = (packets[:, 1].astype(np.int32) & 0x1F) << 8 | packets[:, 2]
    announced = (flags & 0x20 > 0) & (packets[:, 4] > 0) & (packets[:, 5] & 0x80 > 0)

    def gaps(number: int) -> np.ndarray:
        rows = np.flatnonzero((stream == number) & (flags & 0x10 > 0))
        steps = np.diff(flags[rows] & 15) & 15
        broken = np.flatnonzero((steps > 1) & ~announced[rows[1:]])
        return np.stack([rows[broken], rows[broken + 1]], axis=1)

    new_starts = gaps(PROGRAM_LIST)[:, 1]
    for number in np.unique(stream[(stream >= FIRST_STREAM) & (stream != STUFFING)]):
        for before, after in gaps(number):
            if not np.any((new_starts > before) & (new_starts < after)):
                return int(after)
    return None


CHAINS: dict[str, Callable[[mmap.mmap], None]] = {
    "matroska,webm": _matroska,
    "mov,mp4,m4a,3gp,3g2,mj2": _mp4,
    "avi": _avi,
    "flv": _flv,
    "ogg": _ogg,
    "asf": _asf,
    "mxf": _mxf,
    "mpeg": _program_stream,
    "mpegts": _transport_stream,
}
"""By FFmpeg's name of the container."""
