"""Write files so that one under its final name is always complete."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from configs.errors import OutputError

UNFINISHED = ".unfinished."
"""Before the names of files that are not complete."""

HEAD_BYTES, LONG_HEAD_BYTES = 8, 16
"""Of the boxes of MP4 (ISO/IEC 14496-12)."""

NOT_STORED = {errno.EIO, errno.ENOSPC, errno.EDQUOT}
"""What a file system says late, when it was to store what it had taken."""


def unfinished_name(path: Path) -> Path:
    """Path of a file until it is complete: hidden, with the same suffix."""
    return path.with_name(f"{UNFINISHED}{path.name}")


def unfinished_files(folder: Path) -> list[Path]:
    """The final paths of files in a folder that are not complete."""
    return [
        path.with_name(path.name.removeprefix(UNFINISHED))
        for path in sorted(folder.glob(f"{UNFINISHED}*"))
    ]


def move_into_place(path: Path) -> None:
    """Give a complete file its final name, replacing an older one.

    Both the file and its name are on the disk before anything that is written afterwards, so that
    also after a power cut a file under its final name is complete.

    Raises:
        OutputError: it cannot be renamed.
    """
    with output_errors_name(path):
        force_to_disk(unfinished_name(path))
        unfinished_name(path).replace(path)
        force_to_disk(path.parent)


def force_to_disk(path: Path) -> None:
    """Wait until a file, or the names in a folder, would survive a power cut.

    Some file systems, and folders that may be written to but not read, do not offer this.
    """
    if path.is_dir() and os.name == "nt":
        return  # Windows opens no folders.
    try:
        descriptor = os.open(path, os.O_RDWR if os.name == "nt" else os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
    except OSError as error:
        if error.errno in NOT_STORED:
            raise


def write_atomically(path: Path, content: str | bytes) -> None:
    """Write a file atomically: readers see the older one or all of the new one.

    Raises:
        OutputError: it cannot be written.
    """
    if isinstance(content, str):
        # No name of a file, however strange, may keep a result from being written.
        content = content.encode("utf-8", "backslashreplace")
    try:
        with output_errors_name(path):
            path.parent.mkdir(parents=True, exist_ok=True)
            unfinished_name(path).write_bytes(content)
        move_into_place(path)
    except OutputError:
        with suppress(OSError):
            unfinished_name(path).unlink()
        raise


@contextmanager
def output_errors_name(path: Path) -> Iterator[None]:
    """Raise ``OSError``s of the block as ``OutputError``s that name this file or folder."""
    try:
        yield
    except OSError as error:
        reason = error.strerror or str(error)
        raise OutputError(
            f"{path}: cannot be written: {reason}; free some space, mend the permissions "
            "or choose another folder with -o"
        ) from error


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
