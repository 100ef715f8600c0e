"""Motion JPEG without a container: JPEGs (ISO/IEC 10918-1) one after the other."""

from __future__ import annotations

import mmap
import re

from stages.read.containers.chain import BrokenError, CutOffError, follow_parts

START, END, START_OF_SCAN = 0xD8, 0xD9, 0xDA
AFTER_SCAN = re.compile(rb"\xff[^\x00\xd0-\xd7\xff]")
"""The next marker; within a scan there are only escapes and restarts."""

FILLING = re.compile(rb"[\x00\r\n]*")
"""What some cameras put between pictures."""


def follow(data: mmap.mmap) -> None:
    follow_parts(data, 0, len(data), _picture_end)


def _picture_end(data: mmap.mmap, at: int) -> int:
    if _marker(data, at) != START:
        raise BrokenError(at)
    at += 2
    while (marker := _marker(data, at)) != END:
        if marker == START:
            raise BrokenError(at)
        at += 2 + int.from_bytes(data[at + 2 : at + 4])
        if marker == START_OF_SCAN:
            found = AFTER_SCAN.search(data, at)
            if found is None:
                raise CutOffError(len(data) + 1)
            at = found.start()
    filling = FILLING.match(data, at + 2)
    return filling.end() if filling else at + 2


def _marker(data: mmap.mmap, at: int) -> int:
    """The marker at a byte; filling may precede it."""
    while data[at] == data[at + 1] == 0xFF:
        at += 1
    if data[at] != 0xFF:
        raise BrokenError(at)
    return data[at + 1]
