"""Follow the parts of a file."""

from __future__ import annotations

import mmap
from collections.abc import Callable


class BrokenError(Exception):
    """No part begins at this byte."""


class CutOffError(Exception):
    """A part goes beyond the end of the file, up to this byte."""


def follow_parts(
    data: mmap.mmap, at: int, end: int, next_part: Callable[[mmap.mmap, int], int]
) -> None:
    """From part to part; ``next_part`` tells where the one at a byte ends.

    Raises:
        BrokenError: by ``next_part``, where no part begins.
        CutOffError: the last one goes beyond the end.
    """
    while at < end:
        at = next_part(data, at)
    if at > end:
        raise CutOffError(at)
