"""AVI: chunks of a type, a size and a content, of an even number of bytes."""

from __future__ import annotations

import mmap

from stages.read.containers.chain import BrokenError, CutOffError

UNKNOWN_CHUNK_SIZES = (0, 2**32 - 2**16)
"""A recorder that was killed leaves 0; one beyond 4 GB may leave anything near its limit."""


def follow(data: mmap.mmap) -> None:
    at = 0
    while data[at : at + 4] == b"RIFF":
        end = _chunk_end(data, at)
        _chunks(data, at + 12, min(end, len(data)), in_movie=False)
        if end > len(data):
            raise CutOffError(end)
        at = end


def _chunks(data: mmap.mmap, at: int, end: int, in_movie: bool) -> None:
    while at + 8 <= end:
        if not _is_chunk(data, at, in_movie) and _is_chunk(data, at - 1, in_movie):
            at -= 1  # Some writers leave the padding out.
        if not _is_chunk(data, at, in_movie):
            raise BrokenError(at)
        chunk_end = _chunk_end(data, at)
        if data[at : at + 4] == b"LIST" and data[at + 8 : at + 12] in (b"movi", b"rec "):
            _chunks(data, at + 12, min(chunk_end, end), in_movie=True)
        if chunk_end > len(data) + 1:
            raise CutOffError(chunk_end)
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
