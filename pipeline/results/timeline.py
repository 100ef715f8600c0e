"""Read ``timeline.csv`` and ``segments.csv``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

import numpy as np
import pyarrow
from pyarrow import csv

from configs.errors import SourceError
from models.emotions import EMOTIONS
from stages.shown import shown_until_s

NOBODY = 0
"""Person id in ``Timeline.track`` of a frame without a face."""

PROBABILITIES = (*EMOTIONS, *(f"raw_{name}" for name in EMOTIONS))

TYPES = {
    **dict.fromkeys(("emotion", "no_face"), pyarrow.string()),
    **dict.fromkeys(("frame", "track", "usable"), pyarrow.int64()),
    **dict.fromkeys(("x", "y", "width", "height", "score", *PROBABILITIES), pyarrow.float32()),
    **dict.fromkeys(("valence", "eyes_px", "roll_deg"), pyarrow.float32()),
    **dict.fromkeys(
        ("time_s", "start_s", "end_s", "confidence", "peak_s", "peak_confidence"),
        pyarrow.float64(),
    ),
}
"""By column; given, as a column without a value would have no type otherwise. Columns that are not
here are those of networks, float32."""


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
        usable: (k,) bool, whether the face can be relied on; False without a face. Tables of early
            versions do not tell: there all faces are usable.
        gaps_s: when a live stream was lost, in seconds from the first frame.
        outputs: further outputs of networks by column, (k,) float32 each; NaN without a face.
    """

    frame: np.ndarray
    time_s: np.ndarray
    track: np.ndarray
    boxes: np.ndarray
    score: np.ndarray
    probabilities: np.ndarray
    usable: np.ndarray
    gaps_s: Sequence[float] = ()
    outputs: Mapping[str, np.ndarray] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.frame)

    @cached_property
    def people(self) -> list[int]:
        """All person ids, in order."""
        return [int(number) for number in np.unique(self.track) if number != NOBODY]

    def rows_of(self, person: int) -> np.ndarray:
        """Indices of a person's rows, by time."""
        first, last = np.searchsorted(self.track, (person, person + 1), sorter=self._by_person)
        return self._by_person[first:last]

    @cached_property
    def _by_person(self) -> np.ndarray:
        """Indices of all rows, by person and time."""
        return np.argsort(self.track, kind="stable")

    @cached_property
    def until_s(self) -> np.ndarray:
        """Until when each row's frame is shown, by ``shown_until_s``: (k,) float64, in seconds."""
        _, first_rows, frames = np.unique(self.frame, return_index=True, return_inverse=True)
        return shown_until_s(self.time_s[first_rows], self.gaps_s)[frames]


def read_table(path: Path) -> pyarrow.Table:
    """All columns of a table; those of a face are null where a frame has none.

    Raises:
        SourceError: it cannot be read, or is not such a table.
    """
    try:
        with path.open("rb") as file:  # Arrow does not take every name.
            header = file.readline().decode().strip().split(",")
            types = dict.fromkeys(header, pyarrow.float32()) | TYPES
            file.seek(0)
            return csv.read_csv(
                file,
                read_options=csv.ReadOptions(use_threads=False),
                convert_options=csv.ConvertOptions(column_types=types, strings_can_be_null=True),
            )
    except (OSError, ValueError, pyarrow.ArrowException) as error:
        raise SourceError(f"{path}: not a table that can be read: {error}") from error


def timeline_of(table: pyarrow.Table, gaps_s: Sequence[float] = ()) -> Timeline:
    """The rows of what ``read_table`` returns for a ``timeline.csv``."""

    def columns(*names: str) -> np.ndarray:
        return np.stack([table[name].to_numpy() for name in names], axis=1).astype(np.float32)

    track = np.nan_to_num(table["track"].to_numpy(), nan=NOBODY).astype(np.int64)
    told = table["usable"].to_numpy() == 1 if "usable" in table.column_names else track != NOBODY
    return Timeline(
        frame=table["frame"].to_numpy(),
        time_s=table["time_s"].to_numpy(),
        track=track,
        boxes=columns("x", "y", "width", "height"),
        score=columns("score")[:, 0],
        probabilities=columns(*EMOTIONS),
        usable=told,
        gaps_s=gaps_s,
        outputs={name: columns(name)[:, 0] for name in further_columns(table.column_names)},
    )


def further_columns(names: Sequence[str]) -> list[str]:
    """Of the columns of a ``timeline.csv``, those of networks, smoothed."""
    return [name for name in names if name not in TYPES and not name.startswith("raw_")]
