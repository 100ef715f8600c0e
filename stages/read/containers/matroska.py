"""Matroska and WebM (RFC 9559): elements of an id, a size and a content, which may be elements."""

from __future__ import annotations

import mmap

from stages.read.containers.chain import BrokenError, CutOffError

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


def follow(data: mmap.mmap) -> None:
    tracks: set[int] = set()
    at, open_ended = 0, True
    while _name(data, at) in (EBML_HEADER, SEGMENT, *ANYWHERE):
        name, start, end = _element(data, at)
        open_ended = end is None
        at = _elements(data, name, start, end, tracks) if name == SEGMENT else end or len(data)
    # Other things may lie behind a segment of known size; but not what belongs into it.
    if at < len(data) and (open_ended or _name(data, at) in ELEMENTS[SEGMENT] | ELEMENTS[CLUSTER]):
        raise BrokenError(at)
    if at > len(data):
        raise CutOffError(at)


def _elements(data: mmap.mmap, parent: str, at: int, end: int | None, tracks: set[int]) -> int:
    """Follow the elements in another one; returns where it ends."""
    while at < (len(data) if end is None else end):
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
            at = _elements(data, name, start, child_end, tracks)
        elif child_end is None:
            raise BrokenError(at)
        else:
            at = child_end
    return at


def _track_numbers(data: mmap.mmap, at: int, end: int) -> set[int]:
    numbers = set()
    while at < end:
        name, start, element_end = _element(data, at)
        if element_end is None:
            raise BrokenError(at)
        if name == TRACK_NUMBER:
            numbers.add(int.from_bytes(data[start:element_end]))
        at = start if name == TRACK else element_end
    return numbers


def _element(data: mmap.mmap, at: int) -> tuple[str, int, int | None]:
    """Id of the element that begins at a byte, begin and end of its content; no end: unknown."""
    name = _name(data, at)
    if name is None:
        raise BrokenError(at)
    after_id = at + len(name) // 2
    size, start = _number(data, after_id)
    unknown = size == 2 ** (7 * (start - after_id)) - 1
    return name, start, None if unknown else start + size


def _name(data: mmap.mmap, at: int) -> str | None:
    """Id of the element that begins at a byte; None if none does."""
    if at >= len(data) or (length := 9 - data[at].bit_length()) > 4:
        return None
    return data[at : at + length].hex()


def _number(data: mmap.mmap, at: int) -> tuple[int, int]:
    """A number of variable length, and where it ends."""
    length = 9 - data[at].bit_length()
    if length > 8:
        raise BrokenError(at)
    return int.from_bytes(data[at : at + length]) & (2 ** (7 * length) - 1), at + length
