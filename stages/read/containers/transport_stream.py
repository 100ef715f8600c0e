"""MPEG transport streams (ISO/IEC 13818-1): packets of equal size that begin with the same byte."""

from __future__ import annotations

import mmap

import numpy as np

from stages.read.containers.chain import BrokenError, CutOffError

TRANSPORT_PACKET_BYTES = 188, 192, 204
"""Plain, with a timestamp in front (Blu-ray's M2TS), or with error correction behind (DVB)."""

PROGRAM_LIST, FIRST_STREAM, STUFFING = 0, 0x20, 0x1FFF
"""Numbers of streams; those below the first one hold tables."""

CHECKED_PACKETS = 2**16
"""So many at once."""


def follow(data: mmap.mmap) -> None:
    for size in TRANSPORT_PACKET_BYTES:
        first = 4 if size == 192 else 0
        if data[first : first + 5 * size : size] == b"G" * 5:
            break
    else:
        raise BrokenError(0)
    sync = data[first::size]
    if sync.count(b"G") < len(sync):
        raise BrokenError(next(i for i, byte in enumerate(sync) if byte != ord("G")) * size)
    for at in range(0, len(data) // size * size, CHECKED_PACKETS * size):
        part = np.frombuffer(data[at : at + CHECKED_PACKETS * size], np.uint8)
        packets = part[: len(part) // size * size].reshape(-1, size)
        if (gap := _counter_gap(packets[:, first:])) is not None:
            raise BrokenError(at + gap * size)
    if missing := -len(data) % size:
        raise CutOffError(len(data) + missing)


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
