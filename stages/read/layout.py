"""Whether the parts of a video file follow one another up to its end.

Each container is a chain of parts that state their own size. Where the chain is broken, FFmpeg's
demuxers look for the next part that they know, and tell nobody what they have skipped. So the chain
is followed here as well, from head to head, without the contents.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Callable, Generator, Iterator
from pathlib import Path

import numpy as np

from stages.read.containers import (
    BrokenError,
    CutOffError,
    FileBytes,
    follow_asf,
    follow_matroska,
    follow_transport_stream,
)


def layout_fault(path: Path, format_name: str) -> Generator[float, None, str | None]:
    """What is wrong with the chain of parts of a file, in words.

    Args:
        format_name: FFmpeg's name of the container.

    Yields:
        Bytes up to which, or near to which, the file is read next; so that this may go on once
        others have read so much of it.

    Returns:
        None if nothing is, or if this kind of container is not known here.
    """
    if format_name not in CHAINS:
        return None
    with path.open("rb") as file:
        data = FileBytes(file)
        try:
            yield from CHAINS[format_name](data)
        except BrokenError as error:
            return f"the file is damaged at byte {error}, where its next part should begin"
        except CutOffError as error:
            return f"the file is cut off: it ends at byte {len(data)}, not at byte {error}"
        except IndexError:  # Within the head of a part.
            return f"the file is cut off: it ends at byte {len(data)}"
    return None


def _follow_parts(
    data: FileBytes, next_part: Callable[[FileBytes, int], int], at: int = 0
) -> Iterator[int]:
    """From part to part; ``next_part`` tells where the one at a byte ends."""
    while at < len(data):
        yield at
        at = next_part(data, at)
    if at > len(data):
        raise CutOffError(at)


def _follow_mp4(data: FileBytes) -> Iterator[int]:
    """MP4 and QuickTime (ISO/IEC 14496-12): boxes of a size, a type and a content.

    Of a plain file, whose index says where each frame lies, only that it is not cut off.
    """
    at, fragmented = 0, False
    while at < len(data):
        yield at
        kind, start, end = _mp4_box(data, at, len(data))
        if not kind.isalnum() or end < start:
            if fragmented:
                raise BrokenError(at)
            return
        if end > len(data):
            raise CutOffError(end)
        if kind == b"moof":
            fragmented = True
            _mp4_boxes(data, start, end)
        at = end


def _mp4_boxes(data: FileBytes, at: int, end: int) -> None:
    """Follow the boxes of a fragment's head."""
    while at < end:
        kind, start, box_end = _mp4_box(data, at, end)
        if not kind.isalnum() or not start <= box_end <= end:
            raise BrokenError(at)
        if kind == b"traf":
            _mp4_boxes(data, start, box_end)
        at = box_end


def _mp4_box(data: FileBytes, at: int, end: int) -> tuple[bytes, int, int]:
    """Type of the box that begins at a byte, begin and end of its content."""
    size, kind, start = int.from_bytes(data[at : at + 4]), data[at + 4 : at + 8], at + 8
    if size == 1:
        size, start = int.from_bytes(data[at + 8 : at + 16]), at + 16
    return kind, start, at + size if size else end


UNKNOWN_CHUNK_SIZES = (0, 2**32 - 2**16)
"""A recorder that was killed leaves 0; one beyond 4 GB may leave anything near its limit."""


def _follow_avi(data: FileBytes) -> Iterator[int]:
    """AVI: chunks of a type, a size and a content, of an even number of bytes."""
    at = 0
    while data[at : at + 4] == b"RIFF":
        end = _avi_chunk_end(data, at)
        yield from _avi_chunks(data, at + 12, min(end, len(data)), in_movie=False)
        if end > len(data):
            raise CutOffError(end)
        at = end


def _avi_chunks(data: FileBytes, at: int, end: int, in_movie: bool) -> Iterator[int]:
    while at + 8 <= end:
        yield at
        if not _is_avi_chunk(data, at, in_movie) and _is_avi_chunk(data, at - 1, in_movie):
            at -= 1  # Some writers leave the padding out.
        if not _is_avi_chunk(data, at, in_movie):
            raise BrokenError(at)
        chunk_end = _avi_chunk_end(data, at)
        if data[at : at + 4] == b"LIST" and data[at + 8 : at + 12] in (b"movi", b"rec "):
            yield from _avi_chunks(data, at + 12, min(chunk_end, end), in_movie=True)
        if chunk_end > len(data) + 1:
            raise CutOffError(chunk_end)
        at = chunk_end


def _is_avi_chunk(data: FileBytes, at: int, in_movie: bool) -> bool:
    kind = data[at : at + 4]
    if not in_movie or kind in (b"LIST", b"JUNK", b"idx1"):
        return kind.isascii() and kind.decode().isprintable()
    return kind[:2].isdigit() or kind[:2] == b"ix"


def _avi_chunk_end(data: FileBytes, at: int) -> int:
    size = int.from_bytes(data[at + 4 : at + 8], "little")
    nothing, unknown = UNKNOWN_CHUNK_SIZES
    is_list = data[at : at + 4] in (b"RIFF", b"LIST")
    if is_list and (size == nothing or size >= unknown):
        return len(data)
    return at + 8 + size + size % 2


def _follow_flash(data: FileBytes) -> Iterator[int]:
    """Flash video: tags of a type, a size and a content, followed by their whole size."""
    try:
        yield from _follow_parts(data, _flash_tag_end, int.from_bytes(data[5:9]) + 4)
    except CutOffError as error:
        if int(str(error)) > len(data) + 4:  # Some writers leave out the last tag's whole size.
            raise


def _flash_tag_end(data: FileBytes, at: int) -> int:
    if data[at] & 0x1F not in (8, 9, 18):
        raise BrokenError(at)
    return at + 11 + int.from_bytes(data[at + 1 : at + 4]) + 4


MXF_KEY = bytes.fromhex("060e2b34")


def _follow_mxf(data: FileBytes) -> Iterator[int]:
    """MXF (SMPTE 377): values with a key of 16 bytes, which all begin alike, and a size."""
    if data[:4] == MXF_KEY:
        yield from _follow_parts(data, _mxf_value_end)


def _mxf_value_end(data: FileBytes, at: int) -> int:
    if data[at : at + 4] != MXF_KEY:
        raise BrokenError(at)
    size, at = data[at + 16], at + 17
    if size < 0x80:
        return at + size
    return at + (size & 0x7F) + int.from_bytes(data[at : at + (size & 0x7F)])


SECTOR_BYTES = 2048
"""Of discs; packets of sound on a Video CD are shorter, and zeros fill the rest."""


def _follow_program_stream(data: FileBytes) -> Iterator[int]:
    """MPEG program streams (ISO/IEC 13818-1): packets that begin with a start code."""
    if data[:4] != b"RIFF":  # The wrapping of a Video CD.
        yield from _follow_parts(data, _program_packet_end)


def _program_packet_end(data: FileBytes, at: int) -> int:
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


REVERSED_BITS = bytes(int(f"{byte:08b}"[::-1], 2) for byte in range(256))


def _follow_ogg(data: FileBytes) -> Iterator[int]:
    """Ogg (RFC 3533): pages with a number and a checksum."""
    numbers: dict[bytes, int] = {}

    def page_end(data: FileBytes, at: int) -> int:
        if data[at : at + 4] != b"OggS":
            raise BrokenError(at)
        sizes = data[at + 27 : at + 27 + data[at + 26]]
        end = at + 27 + len(sizes) + sum(sizes)
        if end > len(data):
            raise CutOffError(end)
        stream, number = data[at + 14 : at + 18], int.from_bytes(data[at + 18 : at + 22], "little")
        page = data[at : at + 22] + bytes(4) + data[at + 26 : end]
        checksum = int.from_bytes(data[at + 22 : at + 26], "little")
        if number != numbers.get(stream, number) or checksum != _ogg_checksum(page):
            raise BrokenError(at)
        numbers[stream] = number + 1
        return end

    yield from _follow_parts(data, page_end)


def _ogg_checksum(page: bytes) -> int:
    """The CRC that zlib computes, but of bits in the opposite order, and not inverted."""
    crc = zlib.crc32(page.translate(REVERSED_BITS), 2**32 - 1) ^ (2**32 - 1)
    return int(f"{crc:032b}"[::-1], 2)


START, END, START_OF_SCAN = 0xD8, 0xD9, 0xDA
AFTER_SCAN = re.compile(rb"\xff[^\x00\xd0-\xd7\xff]")
"""The next marker; within a scan there are only escapes and restarts."""

SEARCHED_BYTES = 2**16
"""So many at once."""

FILLING = b"\0\r\n"
"""What some cameras put between pictures."""


def _follow_motion_jpeg(data: FileBytes) -> Iterator[int]:
    """Motion JPEG without a container: JPEGs (ISO/IEC 10918-1) one after the other."""
    yield from _follow_parts(data, _jpeg_end)


def _jpeg_end(data: FileBytes, at: int) -> int:
    if _jpeg_marker(data, at) != START:
        raise BrokenError(at)
    at += 2
    while (marker := _jpeg_marker(data, at)) != END:
        if marker == START:
            raise BrokenError(at)
        at += 2 + int.from_bytes(data[at + 2 : at + 4])
        if marker == START_OF_SCAN:
            at = _scan_end(data, at)
    at += 2
    while block := data[at : at + SEARCHED_BYTES]:
        at += len(block) - len(block.lstrip(FILLING))
        if block.lstrip(FILLING):
            break
    return at


def _scan_end(data: FileBytes, at: int) -> int:
    while at < len(data):
        if found := AFTER_SCAN.search(data[at : at + SEARCHED_BYTES]):
            return at + found.start()
        at += SEARCHED_BYTES - 1  # A marker has two bytes.
    raise CutOffError(len(data) + 1)


def _jpeg_marker(data: FileBytes, at: int) -> int:
    """The marker at a byte; filling may precede it."""
    while data[at] == data[at + 1] == 0xFF:
        at += 1
    if data[at] != 0xFF:
        raise BrokenError(at)
    return data[at + 1]


DV_BLOCK_BYTES, DV_BLOCKS = 80, 150
DV_SECTION = np.array([0, 1, 1, 2, 2, 2, *([3] + [4] * 15) * 9])
"""Kind of each block of a sequence: header, subcode, auxiliary, sound, picture."""

DV_SEQUENCES_PER_FRAME = {0: 10, 1: 12}
"""By the flag in a header: 60 fields a second, or 50."""

CHECKED_SEQUENCES = 2**12
"""So many at once."""


def _follow_dv(data: FileBytes) -> Iterator[int]:
    """Raw DV (IEC 61834): frames of 10 or 12 sequences of 150 blocks, which have their numbers."""
    size = DV_BLOCK_BYTES * DV_BLOCKS
    per_frame = DV_SEQUENCES_PER_FRAME[data[3] >> 7]
    for at in range(0, len(data) // size * size, CHECKED_SEQUENCES * size):
        yield at + CHECKED_SEQUENCES * size
        part = np.frombuffer(data[at : at + CHECKED_SEQUENCES * size], np.uint8)
        ids = part[: len(part) // size * size].reshape(-1, DV_BLOCKS, DV_BLOCK_BYTES)[..., :2]
        number = (at // size + np.arange(len(ids))) % per_frame
        wrong = (ids[..., 0] >> 5 != DV_SECTION) | (ids[..., 1] >> 4 != number[:, None])
        if wrong.any():
            raise BrokenError(at + int(wrong.argmax()) * DV_BLOCK_BYTES)
    if missing := -len(data) % (per_frame * size):
        raise CutOffError(len(data) + missing)


CHAINS: dict[str, Callable[[FileBytes], Iterator[int]]] = {
    "asf": follow_asf,
    "avi": _follow_avi,
    "dv": _follow_dv,
    "flv": _follow_flash,
    "matroska,webm": follow_matroska,
    "mjpeg": _follow_motion_jpeg,
    "mov,mp4,m4a,3gp,3g2,mj2": _follow_mp4,
    "mpeg": _follow_program_stream,
    "mpegts": follow_transport_stream,
    "mxf": _follow_mxf,
    "ogg": _follow_ogg,
}
"""How to follow a container, by FFmpeg's name of it."""
