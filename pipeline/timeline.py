"""A finished timeline, as its table has it: what segments, exports and reports are made of."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from models.emotions import EMOTIONS

NOBODY = 0
"""Number in ``Timeline.tracks`` of a frame without a face."""


@dataclass(frozen=True)
class Timeline:
    """The rows of one ``timeline.csv``, column-wise; k rows, in the order of the table.

    Attributes:
        frame: (k,) int64, number of the frame.
        time_s: (k,) float64, seconds from the first frame.
        track: (k,) int64, number of the person; ``NOBODY`` where a frame has no face.
        boxes: (k, 4) float32, x, y, width, height in pixels of the upright frame; NaN without face.
        score: (k,) float32, confidence of the detector; NaN without a face.
        probabilities: (k, 7) float32, in the order of ``EMOTIONS``; NaN without a face.
    """

    frame: np.ndarray
    time_s: np.ndarray
    track: np.ndarray
    boxes: np.ndarray
    score: np.ndarray
    probabilities: np.ndarray

    def __len__(self) -> int:
        return len(self.frame)

    @property
    def people(self) -> list[int]:
        """Numbers of all people, in order."""
        return [int(number) for number in np.unique(self.track) if number != NOBODY]

    def rows_of(self, person: int) -> np.ndarray:
        """Indices of a person's rows, in order of time."""
        return np.flatnonzero(self.track == person)

    def frame_times_s(self) -> np.ndarray:
        """When each frame is shown, once: (n,) float64."""
        return self.time_s[np.unique(self.frame, return_index=True)[1]]


def read_timeline(path: Path) -> Timeline:
    """Read ``timeline.csv``.

    Raises:
        OSError: it cannot be read.
        ValueError: it is not a table of this program.
    """
    with path.open(newline="", encoding="utf-8") as lines:
        return _assembled(csv.DictReader(lines))


def _assembled(rows: Iterator[dict[str, str]]) -> Timeline:
    frame: list[int] = []
    track: list[int] = []
    numbers: list[list[float]] = []
    names = ("time_s", "x", "y", "width", "height", "score", *EMOTIONS)
    for row in rows:
        try:
            frame.append(int(row["frame"]))
            track.append(int(row["track"] or NOBODY))
            numbers.append([float(row[name] or "nan") for name in names])
        except KeyError as error:
            raise ValueError(f"no column {error}") from error
    values = np.array(numbers, np.float64).reshape(-1, len(names))
    return Timeline(
        frame=np.array(frame, np.int64),
        time_s=values[:, 0],
        track=np.array(track, np.int64),
        boxes=values[:, 1:5].astype(np.float32),
        score=values[:, 5].astype(np.float32),
        probabilities=values[:, 6:].astype(np.float32),
    )
