"""Write the timeline: rows of finalised batches, as a CSV file that is complete or that grows."""

from __future__ import annotations

import csv
import io
import os
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path

import numpy as np

from configs.errors import LostOutputError
from stages.batch import NOBODY, FrameBatch
from stages.columns import LEFT_OUT, NONE_FOUND, TIMELINE, BatchValues, TimelineColumn
from stages.write.files import (
    force_to_disk,
    move_into_place,
    output_errors_name,
    unfinished_name,
)

LONGEST_ROW_BYTES = 2**16


class RowMaker:
    """Makes the rows of one video's timeline, and counts those that were written.

    Args:
        columns: of the table.
        measured: as for ``BatchValues``.

    Attributes:
        columns: their names.
        frames: frames so far.
        faces: faces so far, over all frames.
        people: people so far.
        left_out: faces so far that were too short to be shown, as in ``Finaliser``.
        empty: frames so far without a face, by reason.
        duration_s: time from the first frame to the last.
    """

    def __init__(self, columns: Sequence[TimelineColumn] = TIMELINE, measured: bool = True) -> None:
        self._columns, self._measured = columns, measured
        self.columns = [column.name for column in columns]
        self.frames = self.faces = self.left_out = 0
        self.empty = {NONE_FOUND: 0, LEFT_OUT: 0}
        self._first_s: float | None = None
        self.duration_s = 0.0
        self._people: set[int] = set()

    @property
    def people(self) -> int:
        return len(self._people)

    def rows(self, batch: FrameBatch) -> Iterator[tuple[str, ...]]:
        """A row, in the order of ``columns``, for each face, and for each frame without any."""
        values = BatchValues(batch, self._measured)
        faces = np.flatnonzero(batch.people != NOBODY)
        without = np.setdiff1d(np.arange(len(batch)), batch.face_frame[faces])
        frames = np.concatenate([batch.face_frame[faces], without])
        of_faces, of_others = [""] * len(faces), [""] * len(without)
        cells = []
        for column in self._columns:
            given = column.source(values)
            if column.of == "frame":
                cells.append([*map(column.cell_of, given[frames].tolist())])
            elif column.of == "face":
                cells.append([*map(column.cell_of, given[faces].tolist()), *of_others])
            else:
                cells.append([*of_faces, *map(column.cell_of, given[without].tolist())])
        rows = list(zip(*cells, strict=True))
        return (rows[row] for row in np.argsort(frames, kind="stable"))

    def count(self, batch: FrameBatch) -> None:
        """Take note that the rows of a batch are in the table."""
        self.frames += len(batch)
        shown = batch.people != NOBODY
        self.faces += int(shown.sum())
        self.left_out += int((~shown).sum())
        self._people.update(batch.people[shown].tolist())
        with_faces = len(np.unique(batch.face_frame))
        self.empty[NONE_FOUND] += len(batch) - with_faces
        self.empty[LEFT_OUT] += with_faces - len(np.unique(batch.face_frame[shown]))
        if len(batch):
            self._first_s = float(batch.time_s[0]) if self._first_s is None else self._first_s
            self.duration_s = float(batch.time_s[-1]) - self._first_s


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
