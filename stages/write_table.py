"""Write ``timeline.csv``."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Sequence
from contextlib import suppress
from pathlib import Path

from stages.files import finish, telling_of, unfinished_name


class TableWriter:
    """A growing CSV file (RFC 4180, but with plain line feeds).

    Raises:
        OutputError: by any method, when the file cannot be written.
    """

    def __init__(self, path: Path, columns: Sequence[str]) -> None:
        self._path = path
        with telling_of(path):
            self._file = unfinished_name(path).open("w", newline="", encoding="utf-8")
        self._csv = csv.writer(self._file, lineterminator="\n")
        self.write([columns])

    def write(self, rows: Iterable[Sequence[str]]) -> None:
        with telling_of(self._path):
            self._csv.writerows(rows)

    def finish(self) -> None:
        """Complete the file and give it its final name."""
        with telling_of(self._path):
            self._file.close()
        finish(self._path)

    def discard(self) -> None:
        """Leave nothing behind."""
        with suppress(OSError):  # What could not be written is not wanted any more.
            self._file.close()
        unfinished_name(self._path).unlink(missing_ok=True)
