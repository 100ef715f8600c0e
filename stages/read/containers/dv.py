"""Raw DV (IEC 61834): frames of 10 or 12 sequences of 150 blocks, each of which has its number."""

from __future__ import annotations

import mmap

import numpy as np

from stages.read.containers.chain import BrokenError, CutOffError

BLOCK_BYTES, BLOCKS = 80, 150
SECTION = np.array([0, 1, 1, 2, 2, 2, *([3] + [4] * 15) * 9])
"""Kind of each block of a sequence: header, subcode, auxiliary, sound, picture."""

SEQUENCES_PER_FRAME = {0: 10, 1: 12}
"""By the flag in a header: 60 fields a second, or 50."""

CHECKED_SEQUENCES = 2**12
"""So many at once."""


def follow(data: mmap.mmap) -> None:
    size = BLOCK_BYTES * BLOCKS
    per_frame = SEQUENCES_PER_FRAME[data[3] >> 7]
    for at in range(0, len(data) // size * size, CHECKED_SEQUENCES * size):
        part = np.frombuffer(data[at : at + CHECKED_SEQUENCES * size], np.uint8)
        ids = part[: len(part) // size * size].reshape(-1, BLOCKS, BLOCK_BYTES)[..., :2]
        number = (at // size + np.arange(len(ids))) % per_frame
        wrong = (ids[..., 0] >> 5 != SECTION) | (ids[..., 1] >> 4 != number[:, None])
        if wrong.any():
            raise BrokenError(at + int(wrong.argmax()) * BLOCK_BYTES)
    if missing := -len(data) % (per_frame * size):
        raise CutOffError(len(data) + missing)
