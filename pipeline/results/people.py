"""Figures of each person, for the summary and the report."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from models.emotions import EMOTIONS
from pipeline.results.segments import Segment, segments_by_person
from pipeline.results.timeline import Timeline


@dataclass(frozen=True)
class Person:
    """One person of a video.

    Attributes:
        track: person id.
        first_s, last_s: when the face is first and last visible.
        face_s: total time that it is visible.
        confidence: mean probability of the likeliest expression over that time.
        shares: share of that time for which each expression is the likeliest.
        transitions: number of changes from one segment's label to the next one's, without an
            absence between them: ``happy > neutral``.
    """

    track: int
    first_s: float
    last_s: float
    face_s: float
    confidence: float
    shares: dict[str, float]
    transitions: dict[str, int]


def people_of(timeline: Timeline, segments: Sequence[Segment]) -> list[Person]:
    """Everyone in a timeline, by person id."""
    of_person = segments_by_person(segments)
    return [_person(timeline, person, of_person[person]) for person in timeline.people]


def _person(timeline: Timeline, track: int, segments: Sequence[Segment]) -> Person:
    rows = timeline.rows_of(track)
    lasts_s = timeline.until_s[rows] - timeline.time_s[rows]
    # A video of a single frame has no duration; its face still has shares.
    weights = lasts_s if lasts_s.any() else np.ones(len(rows))
    probabilities = timeline.probabilities[rows].astype(np.float64)
    likeliest = probabilities.argmax(axis=1)
    shares = np.bincount(likeliest, weights, minlength=len(EMOTIONS)) / weights.sum()
    changes = Counter(
        f"{before.emotion} > {after.emotion}"
        for before, after in pairwise(segments)
        if before.end_s == after.start_s
    )
    return Person(
        track=track,
        first_s=round(float(timeline.time_s[rows[0]]), 6),
        last_s=round(float(timeline.time_s[rows[-1]]), 6),
        face_s=round(float(lasts_s.sum()), 6),
        confidence=round(float(np.average(probabilities.max(axis=1), weights=weights)), 4),
        shares={name: round(float(share), 4) for name, share in zip(EMOTIONS, shares, strict=True)},
        transitions=dict(sorted(changes.items())),
    )
