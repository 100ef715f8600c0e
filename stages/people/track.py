"""Track faces from frame to frame, within one shot."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from configs.schema import TrackSettings
from stages.batch import FrameBatch
from stages.geometry import iou
from stages.people.likeness import Appearance, FaceSample, Likeness, Verdict

MAX_DISTANCE = 1.0
"""Largest distance from a track's expected box to a face that continues it, in face widths."""

MAX_LOG_SCALE = np.log(2.0)
"""Largest change of size from one to the other, as a natural logarithm."""

VELOCITY_SMOOTHING = 0.5
"""Share of the old velocity in the new one."""

MAX_EXTRAPOLATION_S = 0.25
"""A face out of sight is expected to keep moving for this long, then to stand still."""

IMPOSSIBLE = 1e6

CUT_MEMORY_S = 0.3
"""A track is continued beyond a cut within this time: a flash, which looks like two cuts, is over
by then. Whoever comes back later is re-identified."""


@dataclass
class _Track:
    """One face: its last box (4,), that box's velocity (4,) in pixels a second, when that was, how
    many frames without it came after, and whether a cut was among them."""

    id: int
    box: NDArray[np.float64]
    velocity: NDArray[np.float64]
    seen_s: float
    appearance: Appearance = field(default_factory=Appearance)
    missed: int = 0
    before_cut: bool = False

    def expected_at(self, time_s: float) -> NDArray[np.float64]:
        return self.box + self.velocity * min(time_s - self.seen_s, MAX_EXTRAPOLATION_S)

    def update(self, box: NDArray[np.float64], time_s: float) -> None:
        elapsed_s = max(time_s - self.seen_s, 1e-3)
        moved = (box - self.box) / elapsed_s
        self.velocity = VELOCITY_SMOOTHING * self.velocity + (1 - VELOCITY_SMOOTHING) * moved
        self.velocity[2:] = 0
        self.box, self.seen_s, self.missed, self.before_cut = box, time_s, 0, False


class TrackStage:
    """Fills ``shot_tracks``: assigns faces to tracks by motion, overlap and likeness (Hungarian
    algorithm).

    Track ids start at 1, are never used twice, and run on from batch to batch. A track ends when
    its face is out of sight for ``track.max_gap_s``, or when another face takes its place. Frames
    that are further apart than that do not end it by themselves. Beyond a cut, or a frame without
    it that is shown for longer, it is continued only by a face that looks like it.
    """

    def __init__(self, settings: TrackSettings) -> None:
        self._max_gap_s = settings.max_gap_s
        self._likeness = Likeness(describe=settings.remember_s > 0)
        self._live: list[_Track] = []
        self._last_id = 0

    def process(self, batch: FrameBatch) -> FrameBatch:
        tracks = np.empty(len(batch.boxes), np.int64)
        if batch.after_gap:
            self._live.clear()
        for index, time_s in enumerate(batch.time_s.tolist()):
            if batch.cuts[index : index + 1].any():
                for track in self._live:
                    track.before_cut = True
            self._live = [track for track in self._live if self._may_go_on(track, time_s)]
            faces = batch.faces_of(index)
            samples = [FaceSample(batch, face) for face in range(faces.start, faces.stop)]
            tracks[faces] = self._assign(batch.boxes[faces].astype(np.float64), samples, time_s)
        return replace(batch, shot_tracks=tracks)

    def _may_go_on(self, track: _Track, time_s: float) -> bool:
        max_gap_s = CUT_MEMORY_S if track.before_cut else self._max_gap_s
        return track.missed <= 1 or time_s - track.seen_s <= max_gap_s

    def _needs_proof(self, track: _Track, time_s: float) -> bool:
        away = track.missed > 0 and time_s - track.seen_s > self._max_gap_s
        return track.before_cut or away

    def _assign(
        self, boxes: NDArray[np.float64], samples: Sequence[FaceSample], time_s: float
    ) -> NDArray[np.int64]:
        """Track ids (k,) of the boxes (k, 4) of one frame."""
        ids = np.zeros(len(boxes), np.int64)
        for track, face, verdict in self._pairs(boxes, samples, time_s):
            track.update(boxes[face], time_s)
            track.appearance.add(samples[face], time_s, verdict.sure)
            ids[face] = track.id
        for track in self._live:
            track.missed += int(track.seen_s < time_s)
        for face in np.flatnonzero(ids == 0).tolist():
            self._last_id += 1
            ids[face] = self._last_id
            track = _Track(self._last_id, boxes[face], np.zeros(4), time_s)
            track.appearance.add(samples[face], time_s)
            self._live.append(track)
        return ids

    def _pairs(
        self, boxes: NDArray[np.float64], samples: Sequence[FaceSample], time_s: float
    ) -> list[tuple[_Track, int, Verdict]]:
        """Tracks that are continued, each with the face that continues it."""
        if not len(boxes) or not self._live:
            return []
        costs = _costs(np.stack([track.expected_at(time_s) for track in self._live]), boxes)
        for number, face in zip(*np.nonzero(costs < IMPOSSIBLE), strict=True):
            costs[number, face] += self._live[number].appearance.change(samples[face]) or 0.0
        verdicts: dict[tuple[int, int], Verdict] = {}
        while True:
            found = [
                (number, face)
                for number, face in zip(*least_cost_pairs(costs), strict=True)
                if costs[number, face] < IMPOSSIBLE
            ]
            for number, face in found:
                if (number, face) not in verdicts:
                    track = self._live[number]
                    verdicts[number, face] = self._likeness.compare(
                        track.appearance,
                        samples[face],
                        time_s - track.seen_s,
                        self._needs_proof(track, time_s),
                    )
            if all(verdicts[pair].same for pair in found):
                return [(self._live[pair[0]], pair[1], verdicts[pair]) for pair in found]
            for pair in found:
                if not verdicts[pair].same:
                    costs[pair] = IMPOSSIBLE


def _costs(expected: NDArray[np.float64], found: NDArray[np.float64]) -> NDArray[np.float64]:
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


def least_cost_pairs(costs: NDArray[np.float64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Pairs of the least sum, as many as the shorter side has, none sharing a row or a column.

    Where the cheapest choice of each is free, as nearly always, these are the pairs. Only otherwise
    is the Hungarian algorithm needed, with SciPy, which takes longer to import than all stages.

    Args:
        costs: (r, c), finite.

    Returns:
        Rows and columns of the pairs, each (min(r, c),) int64; rows ascend.
    """
    if costs.shape[0] > costs.shape[1]:
        columns, rows = least_cost_pairs(costs.T)
        order = np.argsort(rows)
        return rows[order], columns[order]
    columns = costs.argmin(axis=1)
    if len(set(columns.tolist())) == len(columns):
        return np.arange(len(columns)), columns
    from scipy.optimize import linear_sum_assignment

    rows, columns = linear_sum_assignment(costs)
    return rows, columns
