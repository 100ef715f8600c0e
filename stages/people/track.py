"""Track faces from frame to frame, within one shot."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from scipy.optimize import linear_sum_assignment

from configs.schema import TrackSettings
from stages.batch import FrameBatch
from stages.geometry import iou

MAX_DISTANCE = 1.0
"""From a track's expected box to a face that continues it, in widths of the face."""

MAX_LOG_SCALE = np.log(2.0)
"""Change of size from one to the other, as a natural logarithm."""

VELOCITY_SMOOTHING = 0.5
"""Share of the old velocity in the new one."""

MAX_EXTRAPOLATION_S = 0.25
"""A face out of sight is expected to keep moving for this long, then to stand still."""

IMPOSSIBLE = 1e6


@dataclass
class _Track:
    """One face: its last box (4,), that box's velocity (4,) in pixels a second, and when it was."""

    id: int
    box: np.ndarray
    velocity: np.ndarray
    seen_s: float

    def expected_at(self, time_s: float) -> np.ndarray:
        return self.box + self.velocity * min(time_s - self.seen_s, MAX_EXTRAPOLATION_S)

    def update(self, box: np.ndarray, time_s: float) -> None:
        elapsed_s = max(time_s - self.seen_s, 1e-3)
        moved = (box - self.box) / elapsed_s
        self.velocity = VELOCITY_SMOOTHING * self.velocity + (1 - VELOCITY_SMOOTHING) * moved
        self.velocity[2:] = 0
        self.box, self.seen_s = box, time_s


class TrackStage:
    """Fills ``tracks``: assigns faces to tracks by motion and overlap (Hungarian algorithm).

    Track ids start at 1, are never used twice, and run on from batch to batch. A cut ends all
    tracks.
    """

    def __init__(self, settings: TrackSettings) -> None:
        self._max_gap_s = settings.max_gap_s
        self._live: list[_Track] = []
        self._last_id = 0

    def process(self, batch: FrameBatch) -> FrameBatch:
        tracks = np.empty(len(batch.boxes), np.int64)
        if batch.after_gap:
            self._live.clear()
        for index, time_s in enumerate(batch.time_s):
            if batch.cuts[index : index + 1].any():
                self._live.clear()
            faces = batch.faces_of(index)
            tracks[faces] = self._assign(batch.boxes[faces].astype(np.float64), float(time_s))
        return replace(batch, tracks=tracks)

    def _assign(self, boxes: np.ndarray, time_s: float) -> np.ndarray:
        """Track ids (k,) of the boxes (k, 4) of one frame."""
        self._live = [track for track in self._live if time_s - track.seen_s <= self._max_gap_s]
        ids = np.zeros(len(boxes), np.int64)
        if len(boxes) and self._live:
            expected = np.stack([track.expected_at(time_s) for track in self._live])
            costs = _costs(expected, boxes)
            for track, face in zip(*linear_sum_assignment(costs), strict=True):
                if costs[track, face] < IMPOSSIBLE:
                    self._live[track].update(boxes[face], time_s)
                    ids[face] = self._live[track].id
        for face in np.flatnonzero(ids == 0):
            self._last_id += 1
            ids[face] = self._last_id
            self._live.append(_Track(self._last_id, boxes[face], np.zeros(4), time_s))
        return ids


def _costs(expected: np.ndarray, found: np.ndarray) -> np.ndarray:
    """Cost (t, k) of continuing tracks, expected at (t, 4), with faces found at (k, 4); 0 is best.

    The sum of 1 - IoU, distance and change of size.
    """
    a, b = expected[:, None], found[None]
    size_a, size_b = np.sqrt(a[..., 2] * a[..., 3]), np.sqrt(b[..., 2] * b[..., 3])
    apart = (a[..., :2] + a[..., 2:] / 2) - (b[..., :2] + b[..., 2:] / 2)
    distance = np.hypot(apart[..., 0], apart[..., 1]) / np.maximum((size_a + size_b) / 2, 1e-6)
    change = np.abs(np.log(np.maximum(size_b, 1e-6) / np.maximum(size_a, 1e-6)))
    costs = 1 - iou(a, b) + distance + change
    costs[(distance > MAX_DISTANCE) | (change > MAX_LOG_SCALE)] = IMPOSSIBLE
    return costs
