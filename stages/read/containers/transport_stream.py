"""MPEG transport streams (ISO/IEC 13818-1): packets of equal size that begin with the same byte."""

from __future__ import annotations

import mmap
from bisect import bisect

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
    counters = _Counters()
    for at in range(0, len(data) // size * size, CHECKED_PACKETS * size):
        part = np.frombuffer(data[at : at + CHECKED_PACKETS * size], np.uint8)
        packets = part[: len(part) // size * size].reshape(-1, size)
        if (broken := counters.first_broken(packets[:, first:])) is not None:
            raise BrokenError(broken * size)
    if missing := -len(data) % size:
        raise CutOffError(len(data) + missing)


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

    def first_broken(self, packets: np.ndarray) -> int | None:
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
