"""From faces to the rows of the timeline, and to the figures of the summary."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from models.emotions import EMOTIONS
from stages.batch import LEFT_OUT, FrameBatch

COLUMNS = (
    "frame", "time_s", "track", "x", "y", "width", "height", "score", "emotion", *EMOTIONS
)  # fmt: skip

RAW_COLUMNS = tuple(f"raw_{emotion}" for emotion in EMOTIONS)
"""Follow the others where the settings ask for them."""

PROBABILITY_STEPS = 10_000
"""Probabilities are given in steps of one over this."""


class Aggregator:
    """Rows of one video's timeline; counts as it goes.

    Args:
        keep_raw: rows end with ``RAW_COLUMNS``.

    Attributes:
        columns: names of the columns.
        frames: frames seen.
        faces: faces seen, over all frames.
        tracks: people seen.
        duration_s: time from the first frame to the last.
    """

    def __init__(self, keep_raw: bool = False) -> None:
        self.columns = COLUMNS + RAW_COLUMNS if keep_raw else COLUMNS
        self._keep_raw = keep_raw
        self.frames = self.faces = self.tracks = 0
        self.duration_s = 0.0

    def rows(self, batch: FrameBatch) -> Iterator[tuple[str, ...]]:
        """One row, in the order of ``columns``, for each face; one for a frame without any."""
        self.frames += len(batch)
        shown = batch.tracks != LEFT_OUT
        self.faces += int(shown.sum())
        self.tracks = max(self.tracks, int(batch.tracks.max(initial=0)))
        if len(batch):
            self.duration_s = float(batch.time_s[-1])
        steps = rounded_to_steps(batch.probabilities)
        raw = rounded_to_steps(batch.raw_probabilities) if self._keep_raw else steps
        for index, time_s in enumerate(batch.time_s):
            frame = (str(batch.first_frame + index), f"{time_s:.6f}")
            within = batch.faces_of(index)
            faces = [face for face in range(within.start, within.stop) if shown[face]]
            if not faces:
                yield frame + ("",) * (len(self.columns) - len(frame))
            for face in faces:
                yield (
                    *frame,
                    str(batch.tracks[face]),
                    *(f"{value:.1f}" for value in batch.boxes[face]),
                    f"{batch.scores[face]:.3f}",
                    EMOTIONS[steps[face].argmax()],
                    *(f"{step / PROBABILITY_STEPS:.4f}" for step in steps[face]),
                    *(f"{step / PROBABILITY_STEPS:.4f}" for step in raw[face] if self._keep_raw),
                )


def rounded_to_steps(probabilities: np.ndarray) -> np.ndarray:
    """Probabilities as whole numbers of steps, each row summing to all of them.

    What plain rounding would lose goes to the largest remainders, so that a printed row sums to
    exactly 1.

    Args:
        probabilities: (m, 7), rows summing to 1.

    Returns:
        (m, 7) int64, rows summing to ``PROBABILITY_STEPS``.
    """
    exact = probabilities.astype(np.float64) * PROBABILITY_STEPS
    steps = np.floor(exact).astype(np.int64)
    missing = PROBABILITY_STEPS - steps.sum(axis=1, keepdims=True)
    rank = np.argsort(np.argsort(steps - exact, axis=1, kind="stable"), axis=1, kind="stable")
    return steps + (rank < missing)
