"""Segments: runs of one expression of one person."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from heapq import heapify, heappop, heappush
from itertools import groupby, pairwise

import numpy as np
from numpy.typing import NDArray

from configs.schema import SegmentSettings
from models.emotions import EMOTIONS
from pipeline.results.timeline import Timeline
from stages.colours import COLOURS_RGB, UNCLEAR_RGB, hex_of
from stages.columns import EXPRESSIONS, PROBABILITY, TRACK, Column

OUT_OF_SIGHT_S = 0.5
"""A longer absence ends a segment."""

UNCLEAR = "unclear"
"""Label of a segment in which no expression reaches ``segments.min_confidence``."""

MEANINGS = EXPRESSIONS | {
    UNCLEAR: "No expression has a high enough mean probability (segments.min_confidence)."
}
LABELS = tuple(MEANINGS)
"""All labels of segments."""

COLOURS = {name: hex_of(rgb) for name, rgb in {**COLOURS_RGB, UNCLEAR: UNCLEAR_RGB}.items()}
"""By label, as style sheets write them."""

COLUMNS = (
    TRACK,
    Column("emotion", "The expression with the highest mean probability.", None, "string",
           MEANINGS),
    Column("start_s", "When the segment begins, from the first frame of the video.", "s",
           cell=".6f"),
    Column("end_s", "When it ends, from the first frame of the video.", "s", cell=".6f"),
    Column("confidence", "Mean probability of the likeliest expression.", PROBABILITY, cell=".4f"),
    Column("peak_s", "When that expression was likeliest, from the first frame of the video.", "s",
           cell=".6f"),
    Column("peak_confidence", "How likely it was then.", PROBABILITY, cell=".4f"),
)  # fmt: skip
"""Of ``segments.csv``, and the fields of a ``Segment``."""


@dataclass(frozen=True)
class Segment:
    """A run of one expression.

    Attributes:
        track: person id.
        emotion: the expression, or ``UNCLEAR``.
        start_s, end_s: in seconds from the first frame.
        confidence: mean probability of the likeliest expression, 0 to 1.
        peak_s: time of that expression's highest probability.
        peak_confidence: that probability.
    """

    track: int
    emotion: str
    start_s: float
    end_s: float
    confidence: float
    peak_s: float
    peak_confidence: float

    @property
    def duration_s(self) -> float:
        return self.end_s - self.start_s

    @property
    def cells(self) -> list[str]:
        """Its row in ``segments.csv``, as exact as ``timeline.csv``."""
        return [column.cell_of(getattr(self, column.name)) for column in COLUMNS]


def segments_of(timeline: Timeline, settings: SegmentSettings | None = None) -> list[Segment]:
    """All segments of a timeline, by person and time; those of a person do not overlap.

    A run begins where another expression leads the current one by ``hysteresis``, or at all if the
    current one is below ``min_confidence``; an absence of more than ``OUT_OF_SIGHT_S`` ends it, and
    a run shorter than ``min_s`` joins the longer one beside it, the shortest first. Each run is
    named by the expression with the highest mean probability, in which every frame counts for as
    long as it is shown, or ``unclear`` if that mean is below ``min_confidence``. Neighbours with
    the same name become one segment.

    Example:
        for segment in segments_of(timeline_of(read_table(path))):
            print(segment.track, segment.emotion, segment.start_s, segment.end_s)
    """
    settings = settings or SegmentSettings()
    return [
        segment
        for person in timeline.people
        for stretch in _stretches(timeline, timeline.rows_of(person))
        for segment in _segments(timeline, stretch, settings)
    ]


def segments_by_person(segments: Iterable[Segment]) -> dict[int, list[Segment]]:
    """The segments of each person, by person id; an empty list for a person without any."""
    of_person: dict[int, list[Segment]] = defaultdict(list)
    for segment in segments:
        of_person[segment.track].append(segment)
    return of_person


def _stretches(timeline: Timeline, rows: NDArray[np.int64]) -> list[NDArray[np.int64]]:
    """A person's rows, split at absences."""
    hidden_s = timeline.time_s[rows[1:]] - timeline.until_s[rows[:-1]]
    return np.split(rows, np.flatnonzero(hidden_s > OUT_OF_SIGHT_S) + 1)


def _segments(
    timeline: Timeline, rows: NDArray[np.int64], settings: SegmentSettings
) -> Iterator[Segment]:
    """The segments of a person's rows, none of which is long after the one before."""
    probabilities = timeline.probabilities[rows].astype(np.float64)
    starts_s, until_s = timeline.time_s[rows], timeline.until_s[rows]
    shown_s = until_s - starts_s
    # A video of a single frame has no duration; its face still has an expression.
    weights = shown_s if shown_s.any() else np.ones(len(rows))
    # During a short absence the last expression goes on.
    times_s = np.append(starts_s, until_s[-1])

    def segment(first: int, last: int) -> Segment:
        span_s = float(times_s[first]), float(times_s[last])
        found = segment_of(timeline, rows[first:last], weights[first:last], span_s)
        clear = found.confidence >= settings.min_confidence
        return found if clear else replace(found, emotion=UNCLEAR)

    labels = _steady_labels(probabilities, settings)
    borders = joined_runs(labels, times_s, settings.min_s)
    for _, same in groupby(pairwise(borders), key=lambda run: segment(*run).emotion):
        runs = list(same)
        yield segment(runs[0][0], runs[-1][1])


def segment_of(
    timeline: Timeline,
    rows: NDArray[np.int64],
    weights: NDArray[np.float64] | None,
    span_s: tuple[float, float],
    label: str | None = None,
) -> Segment:
    """The segment that some rows of a person are.

    Args:
        rows: (k,), indices in the timeline, k > 0.
        weights: (k,), what each counts in means; None if all count the same.
        span_s: when it begins and ends.
        label: that a user gave it; otherwise that of the likeliest expression.
    """
    probabilities = timeline.probabilities[rows].astype(np.float64)
    means = np.average(probabilities, axis=0, weights=weights)
    shown = EMOTIONS.index(label) if label in EMOTIONS else int(means.argmax())
    peak = int(probabilities[:, shown].argmax())
    return Segment(
        track=int(timeline.track[rows[0]]),
        emotion=label or EMOTIONS[shown],
        start_s=span_s[0],
        end_s=span_s[1],
        confidence=float(means[shown]),
        peak_s=float(timeline.time_s[rows[peak]]),
        peak_confidence=float(probabilities[peak, shown]),
    )


def _steady_labels(
    probabilities: NDArray[np.float64], settings: SegmentSettings
) -> NDArray[np.int64]:
    """The likeliest expression of each row, with hysteresis: (k,)."""
    labels = probabilities.argmax(axis=1).tolist()
    current = labels[0]
    for row, values in enumerate(probabilities.tolist()):
        rival = labels[row]
        # An expression that is not clear itself cannot hold off another.
        holds = settings.hysteresis if values[current] >= settings.min_confidence else 0.0
        if values[rival] - values[current] > holds:
            current = rival
        labels[row] = current
    return np.array(labels)


def joined_runs(labels: NDArray[np.int64], times_s: NDArray[np.float64], min_s: float) -> list[int]:
    """Where runs of equal labels begin once short ones have joined others, in O(k log k).

    The shortest run takes the label of the longer of its neighbours and becomes one run with those
    that have it, until none is shorter than ``min_s``. Of equally long runs the first is chosen.

    Args:
        labels: (k,) int, k > 0.
        times_s: (k + 1,) float64, when each label begins, and when the last one ends.
        min_s: in seconds.

    Returns:
        The index of each run's first label, and k.
    """
    begins = [0, *(np.flatnonzero(np.diff(labels)) + 1).tolist()]
    label_of = labels[begins].tolist()
    bounds_s = times_s[[*begins, len(labels)]].tolist()
    # A run is known by the number of its first part; before[run] and after[run] are beside it.
    count = len(begins)
    before, after = list(range(-1, count - 1)), list(range(1, count + 1))

    def length_s(run: int) -> float:
        return float(bounds_s[after[run]] - bounds_s[run])

    def absorb(run: int, following: int) -> None:
        after[run] = after[following]
        if after[run] < count:
            before[after[run]] = run
        absorbed[following] = True

    absorbed = [False] * count
    shortest = [(length_s(run), run) for run in range(count)]
    heapify(shortest)
    while shortest:
        lasted_s, run = heappop(shortest)
        if absorbed[run] or lasted_s != length_s(run):
            continue  # It has grown since.
        beside = [other for other in (before[run], after[run]) if 0 <= other < count]
        if lasted_s >= min_s or not beside:
            break
        label_of[run] = label_of[max(beside, key=length_s)]
        for other in (after[run], before[run]):
            if 0 <= other < count and label_of[other] == label_of[run]:
                first, second = min(run, other), max(run, other)
                absorb(first, second)
                run = first
        heappush(shortest, (length_s(run), run))
    return [*(begins[run] for run in range(count) if not absorbed[run]), len(labels)]
