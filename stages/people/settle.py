"""Hold frames back until it is known which faces last, and what their expression is on average.

A face of which there is little is taken for a mistake of the detector and left out. Probabilities
are averaged over time with weights that fall off linearly to both sides; each frame counts for as
long as it is shown, so that variable frame rates make no difference. A live stream holds nothing
back: there, a face is shown once it has lasted, and the average is of what was.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field, replace

import numpy as np

from configs.schema import SmoothSettings, TrackSettings
from models.emotions import EMOTIONS
from stages.batch import LEFT_OUT, FrameBatch
from stages.people.person_ids import PeopleNumbers, Recogniser

LONGEST_FRAME_S = 0.2
"""A frame that is shown for longer, as in a gap, counts no more than this."""


@dataclass
class _Track:
    """What is known of one track: times, how long each frame is shown, and probabilities."""

    number: int = LEFT_OUT
    seen_s: float = 0.0
    time_s: list[float] = field(default_factory=list)
    lasts_s: list[float] = field(default_factory=list)
    probabilities: list[np.ndarray] = field(default_factory=list)


class Settler:
    """Takes the batches of one video in order, and gives them back a little later, settled.

    In a settled batch ``tracks`` are people's numbers, consecutive from 1 in order of appearance,
    ``LEFT_OUT`` for faces that did not last; ``probabilities`` are smoothed, and
    ``raw_probabilities`` are as the network gave them.

    Args:
        live: hold nothing back.
        recogniser: knows faces again; without one, a new track is a new person.
    """

    def __init__(
        self,
        track: TrackSettings,
        smooth: SmoothSettings,
        live: bool = False,
        recogniser: Recogniser | None = None,
    ) -> None:
        self._min_s, self._max_gap_s = track.min_s, track.max_gap_s
        self._window_s, self._live = smooth.window_s, live
        # Twice, so that a face that is found on and off has the time to prove itself.
        self._hold_s = 0.0 if live else max(2 * track.min_s, smooth.window_s / 2)
        self._held: deque[FrameBatch] = deque()
        self._tracks: dict[int, _Track] = {}
        self._numbers = PeopleNumbers(track, recogniser)
        self._first_s: float | None = None
        self._last_s: float | None = None

    def process(self, batch: FrameBatch) -> list[FrameBatch]:
        """Take a batch; returns those that are settled now, in order."""
        settled = self._settle_all() if batch.after_gap else []
        self._learn(batch)
        self._held.append(batch)
        now_s = self._last_s or 0.0
        while self._held and self._is_old_enough(self._held[0], now_s):
            settled.append(self._settled(self._held.popleft()))
        self._forget(now_s)
        return settled

    def finish(self) -> list[FrameBatch]:
        """All that is held back, when nothing more comes."""
        if self._first_s is not None and (self._last_s or 0.0) - self._first_s < self._min_s:
            self._min_s = 0.0  # The video is too short for any face to last.
        return self._settle_all()

    def _settle_all(self) -> list[FrameBatch]:
        settled = [self._settled(batch) for batch in self._held]
        self._held.clear()
        return settled

    def _is_old_enough(self, batch: FrameBatch, now_s: float) -> bool:
        return not len(batch) or now_s - float(batch.time_s[-1]) >= self._hold_s

    def _learn(self, batch: FrameBatch) -> None:
        self._numbers.learn(batch)
        for index, at_s in enumerate(batch.time_s.tolist()):
            lasts_s = min(at_s - self._last_s, LONGEST_FRAME_S) if self._last_s is not None else 0.0
            self._first_s = at_s if self._first_s is None else self._first_s
            self._last_s = at_s
            faces = batch.faces_of(index)
            for face in range(faces.start, faces.stop):
                track = self._tracks.setdefault(int(batch.tracks[face]), _Track())
                track.seen_s += lasts_s
                track.time_s.append(at_s)
                track.lasts_s.append(max(lasts_s, 1e-3))
                track.probabilities.append(batch.probabilities[face])

    def _settled(self, batch: FrameBatch) -> FrameBatch:
        probabilities = batch.probabilities.copy()
        numbers = np.full(len(batch.tracks), LEFT_OUT, np.int64)
        for key in dict.fromkeys(batch.tracks.tolist()):
            track = self._tracks[key]
            if track.number == LEFT_OUT and track.seen_s >= self._min_s:
                track.number = self._numbers.number_of(key)
            own = np.flatnonzero(batch.tracks == key)
            numbers[own] = track.number
            if self._window_s and track.number != LEFT_OUT:
                at_s = batch.time_s[batch.face_frame[own]]
                probabilities[own] = self._smoothed(track, at_s)
        return replace(
            batch,
            tracks=numbers,
            probabilities=probabilities,
            raw_probabilities=batch.probabilities,
        )

    def _smoothed(self, track: _Track, at_s: np.ndarray) -> np.ndarray:
        """Averages at some times, (k, 7) float32, whose rows sum to 1."""
        before_s = at_s[:, None] - np.array(track.time_s)
        reach_s = self._window_s if self._live else self._window_s / 2
        weights = np.maximum(1 - np.abs(before_s) / reach_s, 0) * np.array(track.lasts_s)
        if self._live:
            weights[before_s < 0] = 0
        # The frame itself always counts, also where the window is shorter than a frame.
        weights[before_s == 0] += 1e-6
        means = weights @ np.array(track.probabilities, np.float64).reshape(-1, len(EMOTIONS))
        return (means / means.sum(axis=1, keepdims=True)).astype(np.float32)

    def _forget(self, now_s: float) -> None:
        """Drop what no window reaches any more."""
        oldest_s = float(self._held[0].time_s[0]) if self._held else now_s
        for key, track in list(self._tracks.items()):
            if track.time_s[-1] < oldest_s - self._max_gap_s - self._window_s:
                del self._tracks[key]
                if track.number == LEFT_OUT:
                    self._numbers.forget(key)
                continue
            count = int(np.searchsorted(track.time_s, oldest_s - self._window_s))
            if count:
                forgotten = min(count, len(track.time_s) - 1)
                for column in (track.time_s, track.lasts_s, track.probabilities):
                    del column[:forgotten]
