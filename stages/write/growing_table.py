"""Write the table of a live stream: others can follow it as it grows, and each row is whole."""

from __future__ import annotations

import csv
import io
import os
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from configs.errors import LostOutputError
from stages.write.files import force_to_disk, output_errors_name

LONGEST_ROW_BYTES = 2**16


class GrowingTable:
    """A CSV file (RFC 4180, with line feeds only) under its final name from the start.

    Rows are on it as soon as ``write`` returns; if it raises, none of them is, and the next call
    goes on behind the rows before. Nothing is done to the disk before the first row.

    Args:
        path: the file to write; a file that is there is never written over.
        columns: names of the columns, the first line.

    Raises:
        OutputError: by any method, when the file cannot be written.
        LostOutputError: by ``write``, when somebody deleted or replaced the file.
    """

    def __init__(self, path: Path, columns: Sequence[str]) -> None:
        self._path, self._columns = path, columns
        self._file: io.FileIO | None = None
        self._bytes = 0

    def write(self, rows: Sequence[Sequence[str]]) -> None:
        if not rows:
            return
        text = io.StringIO()
        lines = csv.writer(text, lineterminator="\n")
        if not self._bytes:
            lines.writerow(self._columns)
        lines.writerows(rows)
        with output_errors_name(self._path):
            file = self._opened()
            file.seek(self._bytes)
            data = memoryview(text.getvalue().encode())
            try:
                while data:
                    data = data[file.write(data) :]
            except OSError:
                file.truncate(self._bytes)
                raise
            self._bytes = file.tell()

    def finish(self) -> None:
        """Make sure that the rows are on the disk."""
        if self._file is not None:
            with output_errors_name(self._path), self._file, suppress(FileNotFoundError):
                force_to_disk(self._path)

    def discard(self) -> None:
        """Close the file, and delete it if it has no row."""
        if self._file is not None:
            self._file.close()
            if not self._bytes:
                self._path.unlink(missing_ok=True)

    def _opened(self) -> io.FileIO:
        if self._file is None:
            self._file = io.FileIO(self._path, "x")
            return self._file
        try:
            there = os.path.samestat(self._path.stat(), os.fstat(self._file.fileno()))
        except FileNotFoundError:
            there = False
        if not there:
            raise LostOutputError(f"{self._path}: somebody deleted or replaced it meanwhile")
        return self._file


def cut_torn_row(path: Path) -> None:
    """Cut off the last row of a table whose writer died, if it is not all there.

    Raises:
        OutputError: the file cannot be changed.
    """
    with output_errors_name(path), path.open("r+b") as file:
        size = file.seek(0, os.SEEK_END)
        file.seek(max(0, size - LONGEST_ROW_BYTES))
        last = file.read()
        file.truncate(size - len(last) + last.rfind(b"\n") + 1)
