"""A file has its final name only when it is complete."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from configs.errors import OutputError


def unfinished_name(path: Path) -> Path:
    """Where a file is written until it is complete; hidden, and with the same ending."""
    return path.with_name(f".unfinished.{path.name}")


def move_into_place(path: Path) -> None:
    """Give a complete file its final name, in place of an older one."""
    with output_errors_name(path):
        unfinished_name(path).replace(path)


def write_whole(path: Path, text: str) -> None:
    """Write a text file in one step: others see the older one, or all of this one.

    Raises:
        OutputError: it cannot be written.
    """
    with output_errors_name(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        unfinished_name(path).write_text(text, encoding="utf-8")
    move_into_place(path)


@contextmanager
def output_errors_name(path: Path) -> Iterator[None]:
    """Turn what the system says of a file or folder into an ``OutputError`` that names it."""
    try:
        yield
    except OSError as error:
        reason = error.strerror or str(error)
        raise OutputError(
            f"{path}: cannot be written: {reason}; free some space, mend the permissions "
            "or choose another folder with -o"
        ) from error
