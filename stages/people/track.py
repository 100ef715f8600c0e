"""Give each face the number of its person, from frame to frame."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from scipy.optimize import linear_sum_assignment

from configs.schema import TrackSettings
from stages.batch import FrameBatch
from stages.geometry import overlap

FARTHEST = 1.0
"""A face further from where its person is expected, in widths of the face, is another person."""

LARGEST_CHANGE = np.log(2.0)
"""So is one that grew or shrank by more, as a logarithm."""

STEADINESS = 0.5
"""Share of the old velocity in the new one."""

FORESIGHT_S = 0.25
"""A person out of sight is expected to go on moving for this long, then to stand still."""

IMPOSSIBLE = 1e6


@dataclass
class _Person:
    number: int
    box: np.ndarray
    velocity: np.ndarray
    seen_s: float

    def expected_at(self, time_s: float) -> np.ndarray:
        return self.box + self.velocity * min(time_s - self.seen_s, FORESIGHT_S)

    def see(self, box: np.ndarray, time_s: float) -> None:
        elapsed_s = max(time_s - self.seen_s, 1e-3)
        moved = (box - self.box) / elapsed_s
        self.velocity = STEADINESS * self.velocity + (1 - STEADINESS) * moved
        self.velocity[2:] = 0
        self.box, self.seen_s = box, time_s


class TrackStage:
    """Fills ``tracks``: motion and overlap decide who is who (Hungarian assignment).

    Numbers start at 1, are never used twice, and run on from batch to batch. After one of
    ``cuts``, everyone is new.
    """

    def __init__(self, settings: TrackSettings) -> None:
        self._max_gap_s = settings.max_gap_s
        self._people: list[_Person] = []
        self._last_number = 0

    def process(self, batch: FrameBatch) -> FrameBatch:
        tracks = np.empty(len(batch.boxes), np.int64)
        if batch.after_gap:
            self._people.clear()
        for index, time_s in enumerate(batch.time_s):
            if batch.cuts[index : index + 1].any():
                self._people.clear()
            faces = batch.faces_of(index)
            tracks[faces] = self._follow(batch.boxes[faces].astype(np.float64), float(time_s))
        return replace(batch, tracks=tracks)

    def _follow(self, boxes: np.ndarray, time_s: float) -> np.ndarray:
        self._people = [
            person for person in self._people if time_s - person.seen_s <= self._max_gap_s
        ]
        numbers = np.zeros(len(boxes), np.int64)
        if len(boxes) and self._people:
            expected = np.stack([person.expected_at(time_s) for person in self._people])
            costs = _costs(expected, boxes)
            for person, face in zip(*linear_sum_assignment(costs), strict=True):
                if costs[person, face] < IMPOSSIBLE:
                    self._people[person].see(boxes[face], time_s)
                    numbers[face] = self._people[person].number
        for face in np.flatnonzero(numbers == 0):
            self._last_number += 1
            numbers[face] = self._last_number
            self._people.append(_Person(self._last_number, boxes[face], np.zeros(4), time_s))
        return numbers


def _costs(expected: np.ndarray, found: np.ndarray) -> np.ndarray:
    """How badly each found box (k, 4) fits each expected one (p, 4): (p, k), 0 is perfect."""
    a, b = expected[:, None], found[None]
    size_a, size_b = np.sqrt(a[..., 2] * a[..., 3]), np.sqrt(b[..., 2] * b[..., 3])
    apart = (a[..., :2] + a[..., 2:] / 2) - (b[..., :2] + b[..., 2:] / 2)
    distance = np.hypot(apart[..., 0], apart[..., 1]) / np.maximum((size_a + size_b) / 2, 1e-6)
    change = np.abs(np.log(np.maximum(size_b, 1e-6) / np.maximum(size_a, 1e-6)))
    costs = 1 - overlap(a, b) + distance + change
    costs[(distance > FARTHEST) | (change > LARGEST_CHANGE)] = IMPOSSIBLE
    return costs
