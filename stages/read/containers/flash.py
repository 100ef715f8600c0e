"""Flash video: tags of a type, a size and a content, followed by their whole size."""

from __future__ import annotations

import mmap

from stages.read.containers.chain import BrokenError, CutOffError, follow_parts


def follow(data: mmap.mmap) -> None:
    try:
        follow_parts(data, int.from_bytes(data[5:9]) + 4, len(data), _tag_end)
    except CutOffError as error:
        if int(str(error)) > len(data) + 4:  # Some writers leave out the last tag's whole size.
            raise


def _tag_end(data: mmap.mmap, at: int) -> int:
    if data[at] & 0x1F not in (8, 9, 18):
        raise BrokenError(at)
    return at + 11 + int.from_bytes(data[at + 1 : at + 4]) + 4
