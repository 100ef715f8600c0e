"""Pack the rows of a timeline so that a page can hold them: ``web/rows.js`` reads them back."""

from __future__ import annotations

import base64
import zlib
from collections.abc import Sequence

import numpy as np

from models.card import OutputColumn
from pipeline.results.timeline import Timeline
from stages.columns import PROBABILITY_STEPS, whole_percent

MAX_ROWS = 4_000_000
"""Of longer timelines each second, third or n-th row of a person is packed: bounds the page."""

ROW_BYTES, OUTPUT_BYTES = 12, 2
"""Of a row, and of each output of a network in it: with these, fewer rows are packed."""

OUTPUT_STEPS = 10_000
"""An output is packed in so many steps from its least to its largest value; ``NO_NUMBER`` if it is
none."""
NO_NUMBER = -1

LOW = 8
"""Is added to the label of a row that is not to be relied on."""


def row_step(timeline: Timeline) -> int:
    """Each how many-th row of a person is packed."""
    row_bytes = ROW_BYTES + OUTPUT_BYTES * len(timeline.outputs)
    return max(1, -(-len(timeline) * row_bytes // (MAX_ROWS * ROW_BYTES)))


def pack(
    timeline: Timeline,
    people: Sequence[int],
    min_confidence: float,
    outputs: Sequence[OutputColumn] = (),
) -> str:
    """Times of all frames, then the rows of these people.

    All integers are little-endian, and stand for the difference from the one before. As Base64 of
    a zlib stream of: times of the n frames in microseconds, float64; of each person the k numbers
    of frames, int32; of each person each of ``outputs``, k int16, in steps of ``OUTPUT_STEPS``; of
    each person the likeliest expressions, k uint8, to which ``LOW`` is added
    where the face is not usable or nothing is as likely as ``min_confidence``, and the
    probabilities in percent, 7 times k uint8, as they are rounded in the film.
    """
    _, first_rows, frames = np.unique(timeline.frame, return_index=True, return_inverse=True)
    times_us = np.rint(timeline.time_s[first_rows] * 1e6)
    parts = [np.diff(times_us, prepend=0.0).astype("<f8")]
    rows_of = [timeline.rows_of(person)[:: row_step(timeline)] for person in people]
    parts += [np.diff(frames[rows], prepend=0).astype("<i4") for rows in rows_of]
    for rows in rows_of:
        for column in outputs:
            shares = (timeline.outputs[column.name][rows] - column.low) / (column.high - column.low)
            known = np.rint(np.clip(shares, 0, 1) * OUTPUT_STEPS)
            steps = np.where(np.isfinite(shares), known, NO_NUMBER).astype(np.int64)
            parts.append(np.diff(steps, prepend=0).astype("<i2"))
    for rows in rows_of:
        steps = np.rint(timeline.probabilities[rows] * PROBABILITY_STEPS).astype(np.int64)
        low = ~timeline.usable[rows] | (steps.max(axis=1) < min_confidence * PROBABILITY_STEPS)
        labels = steps.argmax(axis=1) + LOW * low
        columns = [labels, *whole_percent(steps).T]
        parts += [np.diff(column, prepend=0).astype(np.uint8) for column in columns]
    packed = zlib.compress(b"".join(part.tobytes() for part in parts), level=6)
    return base64.b64encode(packed).decode()
