"""From faces to the rows of the timeline, and to the figures of the summary."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from models.emotions import EMOTIONS
from stages.batch import FrameBatch

COLUMNS = (
    "frame", "time_s", "track", "x", "y", "width", "height", "score", "emotion", *EMOTIONS
)  # fmt: skip

PROBABILITY_STEPS = 10_000
"""Probabilities are given in steps of one over this."""


class Aggregator:
    """Rows of one video's timeline; counts as it goes.

    Attributes:
        frames: frames seen.
        faces: faces seen, over all frames.
        tracks: people seen.
        duration_s: time from the first frame to the last.
    """

    def __init__(self) -> None:
        self.frames = self.faces = self.tracks = 0
        self.duration_s = 0.0

    def rows(self, batch: FrameBatch) -> Iterator[tuple[str, ...]]:
        """One row, in the order of ``COLUMNS``, for each face; one for a frame without any."""
        self.frames += len(batch)
        self.faces += len(batch.boxes)
        self.tracks = max(self.tracks, int(batch.tracks.max(initial=0)))
        if len(batch):
            self.duration_s = float(batch.time_s[-1])
        steps = rounded_to_steps(batch.probabilities)
        for index, time_s in enumerate(batch.time_s):
            frame = (str(batch.first_frame + index), f"{time_s:.6f}")
            faces = batch.faces_of(index)
            if faces.start == faces.stop:
                yield frame + ("",) * (len(COLUMNS) - len(frame))
            for face in range(faces.start, faces.stop):
                yield (
                    *frame,
                    str(batch.tracks[face]),
                    *(f"{value:.1f}" for value in batch.boxes[face]),
                    f"{batch.scores[face]:.3f}",
                    EMOTIONS[steps[face].argmax()],
                    *(f"{step / PROBABILITY_STEPS:.4f}" for step in steps[face]),
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
