"""Finalise faces: drop short detections, assign person ids, smooth probabilities over time.

A face seen for less than ``track.min_s`` counts as a false detection. Probabilities are averaged
with weights that fall off linearly on both sides; each frame counts for as long as it is shown,
until the next one, so that a variable frame rate makes no difference. Frames are held back until
this is known. A live stream holds nothing back: there a face is shown once it has lasted, the
average looks only at the past, and the newest frame counts as the usual one.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from configs.schema import SmoothSettings, TrackSettings
from models.emotions import EMOTIONS
from stages.batch import NOBODY, RECENT_FRAMES, FrameBatch, usual_s
from stages.people.person_ids import PersonIds, Reidentifier

CLOCK_TOLERANCE_S = 1e-6
"""Times are multiples of a unit that may be inexact in binary."""


@dataclass
class _History:
    """What is known of one track: its person, for how long it was seen, and one entry a frame that
    it is in."""

    person: int = NOBODY
    seen_s: float = 0.0
    time_s: list[float] = field(default_factory=list)
    shown_s: list[float] = field(default_factory=list)
    outputs: list[np.ndarray] = field(default_factory=list)

    def begin_frame(self, at_s: float, usual_s: float, outputs: np.ndarray) -> None:
        self.time_s.append(at_s)
        self.shown_s.append(usual_s)
        self.outputs.append(outputs)

    def end_frame(self, shown_s: float) -> None:
        self.seen_s += shown_s
        self.shown_s[-1] = shown_s

    @property
    def until_s(self) -> float:
        return self.time_s[-1] + self.shown_s[-1]


class Finaliser:
    """Takes the batches of one video in order, and returns them finalised, a little later.

    A finalised batch has ``people``, numbered from 1 in order of appearance, or ``NOBODY`` for
    faces that did not last; its ``probabilities`` and ``values`` are smoothed,
    ``raw_probabilities`` and ``raw_values`` are the networks'.

    Args:
        live: hold nothing back.
        reidentifier: without one, every track is a new person.
    """

    def __init__(
        self,
        track: TrackSettings,
        smooth: SmoothSettings,
        live: bool = False,
        reidentifier: Reidentifier | None = None,
    ) -> None:
        self._min_s, self._max_gap_s = track.min_s, track.max_gap_s
        self._window_s, self._live = smooth.window_s, live
        # Twice, so that a face that is detected on and off has the time to reach the minimum.
        self._hold_s = 0.0 if live else max(2 * track.min_s, smooth.window_s / 2)
        self._held: deque[FrameBatch] = deque()
        self._histories: dict[int, _History] = {}
        self._person_ids = PersonIds(track, reidentifier)
        self._length_s = 0.0
        self._last_s: float | None = None
        self._intervals_s: deque[float] = deque(maxlen=RECENT_FRAMES)
        self._newest: list[_History] = []

    def process(self, batch: FrameBatch) -> list[FrameBatch]:
        """Take a batch; returns those that are finalised by now, in order."""
        finalised = self._finalise_all() if batch.after_gap else []
        self._observe(batch)
        self._held.append(batch)
        now_s = self._last_s or 0.0
        while self._held and self._is_old_enough(self._held[0], now_s):
            finalised.append(self._finalised(self._held.popleft()))
        self._forget(now_s)
        return finalised

    def flush(self) -> list[FrameBatch]:
        """All batches that are held back, once the video has ended."""
        if self._length_s + usual_s(self._intervals_s) < self._min_s - CLOCK_TOLERANCE_S:
            self._min_s = 0.0  # The video is too short for any face to last.
        return self._finalise_all()

    def _finalise_all(self) -> list[FrameBatch]:
        """Finalise what is held back, as no frame follows, or none soon."""
        self._end_frame(usual_s(self._intervals_s))
        finalised = [self._finalised(batch) for batch in self._held]
        self._held.clear()
        return finalised

    def _is_old_enough(self, batch: FrameBatch, now_s: float) -> bool:
        return not len(batch) or now_s - float(batch.time_s[-1]) >= self._hold_s

    def _observe(self, batch: FrameBatch) -> None:
        self._person_ids.observe(batch)
        outputs = _outputs(batch)
        for index, at_s in enumerate(batch.time_s.tolist()):
            if self._last_s is not None:
                self._intervals_s.append(at_s - self._last_s)
                self._end_frame(at_s - self._last_s)
            self._last_s, newest_s = at_s, usual_s(self._intervals_s)
            faces = batch.faces_of(index)
            for face in range(faces.start, faces.stop):
                history = self._histories.setdefault(int(batch.shot_tracks[face]), _History())
                history.begin_frame(at_s, newest_s, outputs[face])
                self._newest.append(history)

    def _end_frame(self, shown_s: float) -> None:
        """Take note for how long the newest frame was shown."""
        self._length_s += shown_s
        for history in self._newest:
            history.end_frame(shown_s)
        self._newest.clear()
        self._last_s = None

    def _has_lasted(self, history: _History) -> bool:
        if self._live and usual_s(self._intervals_s) >= self._min_s:
            return True  # The newest frame alone is shown for that long.
        return history.seen_s >= self._min_s - CLOCK_TOLERANCE_S

    def _finalised(self, batch: FrameBatch) -> FrameBatch:
        outputs = _outputs(batch).copy()
        people = np.full(len(batch.shot_tracks), NOBODY, np.int64)
        for track in dict.fromkeys(batch.shot_tracks.tolist()):
            history = self._histories[track]
            if history.person == NOBODY and self._has_lasted(history):
                history.person = self._person_ids.assign(track, may_wait=self._live)
            faces = np.flatnonzero(batch.shot_tracks == track)
            people[faces] = history.person
            if self._window_s and history.person != NOBODY:
                at_s = batch.time_s[batch.face_frame[faces]]
                outputs[faces] = self._smoothed(history, at_s)
        probabilities, values = np.split(outputs, [len(EMOTIONS)], axis=1)
        return replace(
            batch,
            people=people,
            probabilities=probabilities,
            values=values,
            raw_probabilities=batch.probabilities,
            raw_values=batch.values,
        )

    def _smoothed(self, history: _History, at_s: np.ndarray) -> np.ndarray:
        """Averages of outputs at some times (k,): (k, 7 + n) float32; the first 7 sum to 1."""
        before_s = at_s[:, None] - np.array(history.time_s)
        reach_s = self._window_s if self._live else self._window_s / 2
        # Of a frame that is shown for longer, the window holds no more than this.
        shown_s = np.minimum(history.shown_s, reach_s)
        weights = np.maximum(1 - np.abs(before_s) / reach_s, 0) * shown_s
        if self._live:
            weights[before_s < 0] = 0
        # The frame itself always counts, also where the window is shorter than a frame.
        weights[before_s == 0] += 1e-6
        outputs = np.array(history.outputs, np.float64)
        means: NDArray[np.float64] = weights @ outputs[:, : len(EMOTIONS)]
        means /= means.sum(axis=1, keepdims=True)
        if outputs.shape[1] > len(EMOTIONS):
            means = np.hstack([means, _means_of_known(weights, outputs[:, len(EMOTIONS) :])])
        return means.astype(np.float32)

    def _forget(self, now_s: float) -> None:
        """Drop what no window reaches any more."""
        oldest_s = float(self._held[0].time_s[0]) if self._held else now_s
        for track, history in list(self._histories.items()):
            if history.until_s < oldest_s - self._max_gap_s - self._window_s:
                del self._histories[track]
                if history.person == NOBODY:
                    self._person_ids.forget(track)
                continue
            count = int(np.searchsorted(history.time_s, oldest_s - self._window_s))
            if count:
                forgotten = min(count, len(history.time_s) - 1)
                for column in (history.time_s, history.shown_s, history.outputs):
                    del column[:forgotten]


def _means_of_known(weights: np.ndarray, values: np.ndarray) -> np.ndarray:
    """Weighted means of values that are numbers, (k, n); NaN where none is."""
    known = np.isfinite(values)
    with np.errstate(invalid="ignore"):
        means: NDArray[np.float64] = (weights @ np.where(known, values, 0)) / (weights @ known)
    return means


def _outputs(batch: FrameBatch) -> np.ndarray:
    """Probabilities, then further values: (m, 7 + n) float32."""
    if not batch.values.size:
        return batch.probabilities
    return np.hstack([batch.probabilities, batch.values])
