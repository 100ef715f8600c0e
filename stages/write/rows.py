"""Rows of the timeline, and the counts of the summary, from settled batches."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from math import isfinite

import numpy as np

from models.emotions import EMOTIONS, valence_of
from stages.batch import NOBODY, FrameBatch
from stages.geometry import eye_lines

COLUMNS = (
    "frame", "time_s", "track", "x", "y", "width", "height", "score", "emotion", *EMOTIONS,
    "valence", "eyes_px", "roll_deg", "usable", "no_face",
)  # fmt: skip

RAW_COLUMNS = tuple(f"raw_{emotion}" for emotion in EMOTIONS)
"""At the end of a row, if ``smooth.keep_raw`` is set."""

NONE_FOUND, LEFT_OUT = "none found", "left out"
"""Why a frame has no face: none was found; or one was, but for too short a time to be shown."""

PROBABILITY_STEPS = 10_000
"""Probabilities are written in steps of one over this."""


class RowMaker:
    """Makes the rows of one video's timeline, and counts those that were written.

    Args:
        keep_raw: whether rows end with ``RAW_COLUMNS``.
        measured: whether landmarks were found, not placed by a face's box; otherwise the turn of
            the eye line is not known.
        further: names of the columns of ``FrameBatch.values``; they come last, then, if raw ones
            are kept, theirs.

    Attributes:
        columns: names of the columns.
        frames: frames so far.
        faces: faces so far, over all frames.
        people: people so far.
        left_out: faces so far that were too short to be shown, as in ``Settler``.
        empty: frames so far without a face, by reason.
        duration_s: time from the first frame to the last.
    """

    def __init__(
        self, keep_raw: bool = False, measured: bool = True, further: Sequence[str] = ()
    ) -> None:
        self.columns = (*COLUMNS, *(RAW_COLUMNS if keep_raw else ()), *further)
        if keep_raw:
            self.columns += tuple(f"raw_{name}" for name in further)
        self._keep_raw, self._measured, self._further = keep_raw, measured, bool(further)
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
        shown = batch.people != NOBODY
        steps = rounded_to_steps(batch.probabilities)
        raw = rounded_to_steps(batch.raw_probabilities) if self._keep_raw else steps
        valences = valence_of(steps)
        eyes_px, roll_deg = (values.round(1) + 0.0 for values in eye_lines(batch.landmarks))
        further = self._further_cells(batch)
        no_more = ("",) * (len(self.columns) - len(COLUMNS))
        for index, time_s in enumerate(batch.time_s):
            frame = (str(batch.first_frame + index * batch.frame_step), f"{time_s:.6f}")
            within = batch.faces_of(index)
            faces = [face for face in range(within.start, within.stop) if shown[face]]
            if not faces:
                reason = LEFT_OUT if within.start < within.stop else NONE_FOUND
                yield (*frame, *("",) * (len(COLUMNS) - len(frame) - 1), reason, *no_more)
            for face in faces:
                yield (
                    *frame,
                    str(batch.people[face]),
                    *(f"{value:.1f}" for value in batch.boxes[face]),
                    f"{batch.scores[face]:.3f}",
                    EMOTIONS[steps[face].argmax()],
                    *(f"{step / PROBABILITY_STEPS:.4f}" for step in steps[face]),
                    f"{valences[face] / PROBABILITY_STEPS:.4f}",
                    f"{eyes_px[face]:.1f}",
                    f"{roll_deg[face]:.1f}" if self._measured else "",
                    str(int(batch.usable[face])),
                    "",
                    *(f"{step / PROBABILITY_STEPS:.4f}" for step in raw[face] if self._keep_raw),
                    *further[face],
                )

    def _further_cells(self, batch: FrameBatch) -> Sequence[Sequence[str]]:
        """For each face, the cells of its further outputs; one that is no number is empty."""
        if not self._further:
            return ((),) * len(batch.boxes)
        parts = (batch.values, batch.raw_values) if self._keep_raw else (batch.values,)
        return [
            [f"{value:.4f}" if isfinite(value) else "" for value in row]
            for row in np.hstack(parts).tolist()
        ]

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


def whole_percent(steps: np.ndarray) -> np.ndarray:
    """What films and pages show of probabilities in steps: percent, halves up."""
    of_percent = PROBABILITY_STEPS // 100
    return (steps + of_percent // 2) // of_percent


def rounded_to_steps(probabilities: np.ndarray) -> np.ndarray:
    """Round probabilities so that each row still sums to exactly 1 (largest remainder method).

    Args:
        probabilities: (m, 7), rows summing to 1.

    Returns:
        (m, 7) int64, in steps; rows sum to ``PROBABILITY_STEPS``.
    """
    exact = probabilities.astype(np.float64) * PROBABILITY_STEPS
    steps = np.floor(exact).astype(np.int64)
    missing = PROBABILITY_STEPS - steps.sum(axis=1, keepdims=True)
    rank = np.argsort(np.argsort(steps - exact, axis=1, kind="stable"), axis=1, kind="stable")
    return steps + (rank < missing)
