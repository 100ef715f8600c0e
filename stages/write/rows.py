"""Rows of the timeline, and the counts of the summary, from settled batches."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from configs.schema import UsableSettings
from models.emotions import EMOTIONS
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

HAPPY = EMOTIONS.index("happy")
NEGATIVE = [EMOTIONS.index(name) for name in ("angry", "disgust", "fear", "sad")]

PROBABILITY_STEPS = 10_000
"""Probabilities are written in steps of one over this."""


class RowMaker:
    """Makes the rows of one video's timeline, and counts.

    Args:
        usable: which faces are large enough, and seen enough from the front, to be relied on.
        keep_raw: whether rows end with ``RAW_COLUMNS``.
        measured: whether landmarks were found, not placed by a face's box; otherwise the turn of
            the eye line is not known.

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
        self, usable: UsableSettings, keep_raw: bool = False, measured: bool = True
    ) -> None:
        self.columns = COLUMNS + RAW_COLUMNS if keep_raw else COLUMNS
        self._usable, self._keep_raw, self._measured = usable, keep_raw, measured
        self.frames = self.faces = self.people = self.left_out = 0
        self.empty = {NONE_FOUND: 0, LEFT_OUT: 0}
        self._first_s: float | None = None
        self.duration_s = 0.0

    def rows(self, batch: FrameBatch) -> Iterator[tuple[str, ...]]:
        """A row, in the order of ``columns``, for each face, and for each frame without any."""
        self.frames += len(batch)
        shown = batch.people != NOBODY
        self.faces += int(shown.sum())
        self.left_out += int((~shown).sum())
        self.people = max(self.people, int(batch.people.max(initial=0)))
        if len(batch):
            self._first_s = float(batch.time_s[0]) if self._first_s is None else self._first_s
            self.duration_s = float(batch.time_s[-1]) - self._first_s
        steps = rounded_to_steps(batch.probabilities)
        raw = rounded_to_steps(batch.raw_probabilities) if self._keep_raw else steps
        valences = steps[:, HAPPY] - steps[:, NEGATIVE].max(axis=1)
        eyes_px, roll_deg = (values.round(1) + 0.0 for values in eye_lines(batch.landmarks))
        usable = (eyes_px >= self._usable.min_eyes_px) & (
            batch.landmark_errors <= self._usable.max_landmark_error
        )
        no_raw = ("",) * (len(self.columns) - len(COLUMNS))
        for index, time_s in enumerate(batch.time_s):
            frame = (str(batch.first_frame + index * batch.frame_step), f"{time_s:.6f}")
            within = batch.faces_of(index)
            faces = [face for face in range(within.start, within.stop) if shown[face]]
            if not faces:
                reason = LEFT_OUT if within.start < within.stop else NONE_FOUND
                self.empty[reason] += 1
                yield (*frame, *("",) * (len(COLUMNS) - len(frame) - 1), reason, *no_raw)
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
                    str(int(usable[face])),
                    "",
                    *(f"{step / PROBABILITY_STEPS:.4f}" for step in raw[face] if self._keep_raw),
                )


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
