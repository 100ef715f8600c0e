"""Write a table as CSV, row by row."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Sequence
from contextlib import suppress
from pathlib import Path

from stages.write.files import move_into_place, output_errors_name, unfinished_name


class TableWriter:
    """A CSV file (RFC 4180, with line feeds only).

    Args:
        path: the file to write.
        columns: names of the columns, the first line.

    Raises:
        OutputError: by any method, when the file cannot be written.
    """

    def __init__(self, path: Path, columns: Sequence[str]) -> None:
        self._path = path
        with output_errors_name(path):
            self._file = unfinished_name(path).open("w", newline="", encoding="utf-8")
        self._csv = csv.writer(self._file, lineterminator="\n")
        self.write([columns])

    def write(self, rows: Iterable[Sequence[str]]) -> None:
        with output_errors_name(self._path):
            self._csv.writerows(rows)

    def finish(self) -> None:
        """Complete the file and give it its final name."""
        with output_errors_name(self._path):
            self._file.close()
            move_into_place(self._path)

    def discard(self) -> None:
        """Delete what was written."""
        with suppress(OSError):  # It is deleted anyway.
            self._file.close()
        unfinished_name(self._path).unlink(missing_ok=True)
