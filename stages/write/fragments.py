"""MP4 in fragments (ISO/IEC 14496-12): what is on the disk plays, also if the rest never comes."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO

from stages.write.files import force_to_disk, output_errors_name, unfinished_name

FRAGMENT_S = 1.0
"""Length of a fragment, and so of what is lost at most."""

FRAGMENTED = {
    "movflags": "hybrid_fragmented+delay_moov",
    "frag_duration": str(round(FRAGMENT_S * 1e6)),
    "flush_packets": "1",
}
"""FFmpeg's options: fragments while it is written, an ordinary MP4 once it is complete."""

IN_ORDER = {"bf": "0"}
"""The encoder's option for such a file: no B-frames. FFmpeg ends the film with the frames of the
last fragment, and one that is shown later may lie in the fragment before."""

HEAD_BYTES, LONG_HEAD_BYTES = 8, 16


def keep_what_plays(path: Path) -> bool:
    """Give what plays of an unfinished film its final name, and delete the rest.

    Returns:
        Whether anything plays.

    Raises:
        OutputError: the file is gone, or cannot be changed.
    """
    unfinished = unfinished_name(path)
    with output_errors_name(path):
        if _cut_to_what_plays(unfinished):
            with suppress(OSError):  # What is on the disk plays, however much that is.
                force_to_disk(unfinished)
            unfinished.replace(path)
            return True
        unfinished.unlink()
        return False


def _cut_to_what_plays(path: Path) -> bool:
    """Cut a file after its last whole fragment; returns whether there is one."""
    with path.open("r+b") as file:
        # By kind, in the order of their first boxes: the index comes first in fragments, and last
        # in a file that was all but complete.
        ends = {kind: end for kind, end in _whole_boxes(file) if kind in (b"moov", b"mdat")}
        if len(ends) < 2:
            return False
        file.truncate(ends[list(ends)[1]])
        return True


def _whole_boxes(file: BinaryIO) -> Iterator[tuple[bytes, int]]:
    """Kind and end of each box at the top, up to the first one that is not all there."""
    size, start = file.seek(0, 2), 0
    while start + HEAD_BYTES <= size:
        file.seek(start)
        head = file.read(LONG_HEAD_BYTES)
        length, kind = int.from_bytes(head[:4]), head[4:HEAD_BYTES]
        if length == 1:
            length = int.from_bytes(head[HEAD_BYTES:])
        start += length
        if length < HEAD_BYTES or start > size:
            return
        yield kind, start
