"""Write files so that one under its final name is always complete."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from configs.errors import OutputError

UNFINISHED = ".unfinished."
"""Before the names of files that are not complete."""

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
