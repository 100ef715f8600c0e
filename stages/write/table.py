"""Write ``timeline.csv``."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Sequence
from contextlib import suppress
from pathlib import Path

from stages.write.files import move_into_place, output_errors_name, unfinished_name


class TableWriter:
    """A growing CSV file (RFC 4180, but with plain line feeds).

    Args:
        path: the file to write.
        columns: its first line.
        readable: give the file its final name at once, and bring each row to the disk as it comes,
            so that others can read along.

    Raises:
        OutputError: by any method, when the file cannot be written.
    """

    def __init__(self, path: Path, columns: Sequence[str], readable: bool = False) -> None:
        self._path, self._readable = path, readable
        self._written_to = path if readable else unfinished_name(path)
        with output_errors_name(path):
            self._file = self._written_to.open("w", newline="", encoding="utf-8")
        self._csv = csv.writer(self._file, lineterminator="\n")
        self.write([columns])

    def write(self, rows: Iterable[Sequence[str]]) -> None:
        with output_errors_name(self._path):
            self._csv.writerows(rows)
            if self._readable:
                self._file.flush()

    def finish(self) -> None:
        """Complete the file and give it its final name."""
        with output_errors_name(self._path):
            self._file.close()
        if not self._readable:
            move_into_place(self._path)

    def discard(self) -> None:
        """Leave nothing behind."""
        with suppress(OSError):  # What could not be written is not wanted any more.
            self._file.close()
        self._written_to.unlink(missing_ok=True)
