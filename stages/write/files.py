"""Write files so that one under its final name is always complete."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from configs.errors import OutputError


def unfinished_name(path: Path) -> Path:
    """Path of a file until it is complete: hidden, with the same suffix."""
    return path.with_name(f".unfinished.{path.name}")


def move_into_place(path: Path) -> None:
    """Give a complete file its final name, replacing an older one.

    Raises:
        OutputError: it cannot be renamed.
    """
    with output_errors_name(path):
        unfinished_name(path).replace(path)


def write_atomically(path: Path, text: str) -> None:
    """Write a text file atomically: readers see the older one or all of the new one.

    Raises:
        OutputError: it cannot be written.
    """
    with output_errors_name(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        # No name of a file, however strange, may keep a result from being written.
        unfinished_name(path).write_text(text, encoding="utf-8", errors="backslashreplace")
    move_into_place(path)


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
