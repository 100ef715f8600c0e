"""Read ``timeline.csv`` and ``segments.csv``."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

import numpy as np
import pyarrow
from numpy.typing import NDArray
from pyarrow import csv

from configs.errors import SourceError
from models.card import OutputColumn
from models.emotions import EMOTIONS
from stages.batch import NOBODY, shown_until_s
from stages.columns import Column, timeline_columns

OWN_COLUMNS = timeline_columns(keep_raw=True)
FURTHER = [
    column for column in OWN_COLUMNS if column.mean_of and column.name not in (*EMOTIONS, "valence")
]
"""Of the program's own columns, those that tables over all results have means of, beside the seven
expressions and valence."""

NAN = pyarrow.Array.from_buffers(
    pyarrow.float64(), 1, [None, pyarrow.py_buffer(np.array([np.nan]))]
)[0]


@dataclass(frozen=True)
class Timeline:
    """The rows of one ``timeline.csv``, column-wise; k rows, in the order of the table.

    Attributes:
        frame: (k,) int64, number of the frame, from 0.
        time_s: (k,) float64, seconds from the first frame.
        track: (k,) int64, person id; ``NOBODY`` for a frame without a face.
        boxes: (k, 4) float32, x, y, width, height in pixels of the upright frame; NaN without face.
        score: (k,) float32, of the detector, 0 to 1; NaN without a face.
        probabilities: (k, 7) float32, in the order of ``EMOTIONS``; NaN without a face.
        usable: (k,) bool, whether the face can be relied on; False without a face.
        gaps_s: when a live stream was lost, in seconds from the first frame.
        outputs: further outputs of networks by column, (k,) float32 each; NaN without a face.
        further: ``FURTHER``, likewise.
    """

    frame: NDArray[np.int64]
    time_s: NDArray[np.float64]
    track: NDArray[np.int64]
    boxes: NDArray[np.float32]
    score: NDArray[np.float32]
    probabilities: NDArray[np.float32]
    usable: NDArray[np.bool_]
    gaps_s: Sequence[float] = ()
    outputs: Mapping[str, NDArray[np.float32]] = field(default_factory=dict)
    further: Mapping[str, NDArray[np.float32]] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.frame)

    @cached_property
    def people(self) -> list[int]:
        """All person ids, in order."""
        return [int(number) for number in np.unique(self.track) if number != NOBODY]

    def rows_of(self, person: int) -> NDArray[np.int64]:
        """Indices of a person's rows, by time."""
        first, last = np.searchsorted(self.track, (person, person + 1), sorter=self._by_person)
        return self._by_person[first:last]

    @cached_property
    def _by_person(self) -> NDArray[np.int64]:
        """Indices of all rows, by person and time."""
        return np.argsort(self.track, kind="stable")

    @cached_property
    def until_s(self) -> NDArray[np.float64]:
        """Until when each row's frame is shown, by ``shown_until_s``: (k,) float64, in seconds."""
        _, first_rows, frames = np.unique(self.frame, return_index=True, return_inverse=True)
        return shown_until_s(self.time_s[first_rows], self.gaps_s)[frames]


def read_table(path: Path, columns: Iterable[Column] = OWN_COLUMNS) -> pyarrow.Table:
    """All columns of a table; those of a face are null where a frame has none.

    Args:
        columns: of such tables; further ones are those of networks, float32. Their types are given,
            as a column without a value would have none otherwise.

    Raises:
        SourceError: it cannot be read, or is not such a table.
    """
    try:
        with path.open("rb") as file:  # Arrow does not take every name.
            header = file.readline().decode().strip().split(",")
            types = dict.fromkeys(header, pyarrow.float32())
            types |= {column.name: _arrow_type(column) for column in columns}
            file.seek(0)
            return csv.read_csv(
                file,
                read_options=csv.ReadOptions(use_threads=False),
                convert_options=csv.ConvertOptions(column_types=types, strings_can_be_null=True),
            )
    except (OSError, ValueError, pyarrow.ArrowException) as error:
        raise SourceError(f"{path}: not a table that can be read: {error}") from error


def _arrow_type(column: Column) -> pyarrow.DataType:
    if column.type == "number":
        return pyarrow.float32() if column.bits == 32 else pyarrow.float64()
    return pyarrow.string() if column.type == "string" else pyarrow.int64()


def timeline_of(
    table: pyarrow.Table, gaps_s: Sequence[float] = (), outputs: Iterable[OutputColumn] = ()
) -> Timeline:
    """The rows of what ``read_table`` returns for a ``timeline.csv``.

    Args:
        gaps_s: when a live stream was lost, in seconds from the first frame.
        outputs: what networks give beyond the seven expressions.
    """

    def columns(*names: str) -> NDArray[np.float32]:
        return np.stack([_numbers(table[name]) for name in names], axis=1).astype(np.float32)

    return Timeline(
        frame=_numbers(table["frame"]),
        time_s=_numbers(table["time_s"]),
        track=np.nan_to_num(_numbers(table["track"]), nan=NOBODY).astype(np.int64),
        boxes=columns("x", "y", "width", "height"),
        score=columns("score")[:, 0],
        probabilities=columns(*EMOTIONS),
        usable=_numbers(table["usable"]) == 1,
        gaps_s=gaps_s,
        outputs={column.name: columns(column.name)[:, 0] for column in outputs},
        further={column.name: columns(column.name)[:, 0] for column in FURTHER},
    )


def _numbers(column: pyarrow.ChunkedArray) -> np.ndarray:
    """The values of a column, NaN for null.

    Arrow's own ``to_numpy`` imports pandas, which takes longer than all else at the end of a video.
    """
    if column.null_count:
        column = column.cast(pyarrow.float64()).fill_null(NAN)
    return np.from_dlpack(column.combine_chunks())
