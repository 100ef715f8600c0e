"""Write a table as CSV, row by row."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Sequence
from contextlib import suppress
from pathlib import Path

from stages.write.files import force_to_disk, move_into_place, output_errors_name, unfinished_name


class TableWriter:
    """A growing CSV file (RFC 4180, with line feeds only).

    Args:
        path: the file to write.
        columns: names of the columns, the first line.
        readable: use the final name from the start, and flush after each write, so that others can
            follow the file as it grows.

    Raises:
        OutputError: by any method, when the file cannot be written.
    """

    def __init__(self, path: Path, columns: Sequence[str], readable: bool = False) -> None:
        self._path, self._readable = path, readable
        self._target = path if readable else unfinished_name(path)
        with output_errors_name(path):
            self._file = self._target.open("w", newline="", encoding="utf-8")
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
            if self._readable:
                force_to_disk(self._path)
            else:
                move_into_place(self._path)

    def discard(self) -> None:
        """Delete what was written."""
        with suppress(OSError):  # It is deleted anyway.
            self._file.close()
        self._target.unlink(missing_ok=True)
