"""Runs of one expression of one person."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import astuple, dataclass, fields
from itertools import pairwise

import numpy as np

from configs.schema import SegmentSettings
from models.emotions import EMOTIONS
from pipeline.results.timeline import Timeline

OUT_OF_SIGHT_S = 0.5
"""A person who is not seen for longer shows nothing in between."""


@dataclass(frozen=True)
class Segment:
    """A person shows one expression for a while.

    Attributes:
        track: number of the person.
        emotion: which expression.
        start_s, end_s: from when to when, in seconds from the first frame.
        confidence: mean probability of the expression, 0 to 1.
        peak_s: when it was likeliest.
        peak_confidence: how likely it was then.
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


COLUMNS = tuple(field.name for field in fields(Segment))


def segments_of(timeline: Timeline, settings: SegmentSettings | None = None) -> list[Segment]:
    """All segments of a timeline, by person and then by time; those of a person do not overlap."""
    settings = settings or SegmentSettings()
    return [
        segment
        for person in timeline.people
        for stretch in _stretches(timeline, timeline.rows_of(person))
        for segment in _segments(timeline, stretch, settings)
    ]


def segments_by_person(segments: Iterable[Segment]) -> dict[int, list[Segment]]:
    """The segments of each person, by number; none for a person without."""
    of_person: dict[int, list[Segment]] = defaultdict(list)
    for segment in segments:
        of_person[segment.track].append(segment)
    return of_person


def as_rows(segments: Sequence[Segment]) -> Iterator[tuple[str, ...]]:
    """Rows of ``segments.csv``, in the order of ``COLUMNS``."""
    for segment in segments:
        yield tuple(
            f"{value:.3f}" if isinstance(value, float) else str(value) for value in astuple(segment)
        )


def _stretches(timeline: Timeline, rows: np.ndarray) -> list[np.ndarray]:
    """A person's rows, parted where the person is out of sight."""
    hidden_s = timeline.time_s[rows[1:]] - timeline.until_s[rows[:-1]]
    return np.split(rows, np.flatnonzero(hidden_s > OUT_OF_SIGHT_S) + 1)


def _segments(timeline: Timeline, rows: np.ndarray, settings: SegmentSettings) -> Iterator[Segment]:
    probabilities = timeline.probabilities[rows]
    # A person hidden for a moment shows until then what was seen last.
    starts_s = timeline.time_s[rows]
    ends_s = np.append(starts_s[1:], timeline.until_s[rows[-1]])
    labels = _steady_labels(probabilities, settings.hysteresis)
    for first, last in pairwise(_borders(labels, starts_s, ends_s, settings.min_s)):
        emotion = int(
            labels[first:last][_longest(labels[first:last], (ends_s - starts_s)[first:last])]
        )
        shown = probabilities[first:last, emotion].astype(np.float64)
        peak = int(shown.argmax())
        yield Segment(
            track=int(timeline.track[rows[0]]),
            emotion=EMOTIONS[emotion],
            start_s=float(starts_s[first]),
            end_s=float(ends_s[last - 1]),
            confidence=float(np.average(shown, weights=(ends_s - starts_s)[first:last] + 1e-9)),
            peak_s=float(starts_s[first + peak]),
            peak_confidence=float(shown[peak]),
        )


def _steady_labels(probabilities: np.ndarray, hysteresis: float) -> np.ndarray:
    """The likeliest expression of each row, but another only when it leads by so much: (k,)."""
    likeliest = probabilities.argmax(axis=1)
    labels = likeliest.copy()
    for row in range(1, len(labels)):
        held, rival = labels[row - 1], likeliest[row]
        lead = probabilities[row, rival] - probabilities[row, held]
        labels[row] = rival if lead > hysteresis else held
    return labels


def _borders(
    labels: np.ndarray, starts_s: np.ndarray, ends_s: np.ndarray, min_s: float
) -> list[int]:
    """Where segments begin, and where the last one ends, as indices of rows.

    Runs that are too short become part of the longer one beside them, the shortest first.
    """
    borders = [0, *(np.flatnonzero(np.diff(labels)) + 1).tolist(), len(labels)]
    owners = [int(labels[border]) for border in borders[:-1]]

    def length_s(run: int) -> float:
        return float(ends_s[borders[run + 1] - 1] - starts_s[borders[run]])

    while len(owners) > 1:
        lengths_s = [length_s(run) for run in range(len(owners))]
        run = int(np.argmin(lengths_s))
        if lengths_s[run] >= min_s:
            break
        beside = [other for other in (run - 1, run + 1) if 0 <= other < len(owners)]
        owners[run] = owners[max(beside, key=lambda other: lengths_s[other])]
        borders, owners = _joined(borders, owners)
    return borders


def _joined(borders: list[int], owners: list[int]) -> tuple[list[int], list[int]]:
    """The same runs, of which neighbours with the same owner have become one."""
    kept = [run for run, owner in enumerate(owners) if run == 0 or owner != owners[run - 1]]
    return [borders[run] for run in kept] + borders[-1:], [owners[run] for run in kept]


def _longest(labels: np.ndarray, lengths_s: np.ndarray) -> int:
    """Index of a row with the label that lasts longest."""
    totals = np.bincount(labels, weights=lengths_s + 1e-9, minlength=len(EMOTIONS))
    return int(np.argmax(labels == totals.argmax()))
