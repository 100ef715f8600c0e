"""Batches with given faces."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from stages.batch import FrameBatch

Box = tuple[float, float, float, float]


def batch_of(
    frames: Sequence[Sequence[Box]], *, first_frame: int = 0, rate: float = 25.0
) -> FrameBatch:
    """Consecutive frames with these boxes in them, in pixels."""
    times_s = (first_frame + np.arange(len(frames))) / rate
    return FrameBatch(
        first_frame=first_frame,
        pts=np.arange(first_frame, first_frame + len(frames)),
        time_s=times_s,
        face_frame=np.repeat(np.arange(len(frames)), [len(boxes) for boxes in frames]),
        boxes=np.array([box for boxes in frames for box in boxes], np.float32).reshape(-1, 4),
    )
