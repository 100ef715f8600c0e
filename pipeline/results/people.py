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
        usable_share: share of that time for which the face can be relied on; what follows is over
            this time alone.
        confidence: mean probability of the likeliest expression; None without usable time.
        shares: share of time for which each expression is the likeliest; empty without any.
        transitions: number of changes from one segment's label to the next one's, without an
            absence between them: ``happy > neutral``.
    """

    track: int
    first_s: float
    last_s: float
    face_s: float
    usable_share: float
    confidence: float | None
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
    usable = weights * timeline.usable[rows]
    usable_s = float(usable.sum())
    probabilities = timeline.probabilities[rows].astype(np.float64)
    likeliest_s = np.bincount(probabilities.argmax(axis=1), usable, minlength=len(EMOTIONS))
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
        usable_share=round(usable_s / float(weights.sum()), 4),
        confidence=round(float(probabilities.max(axis=1) @ usable) / usable_s, 4)
        if usable_s
        else None,
        shares={
            name: round(float(lasts_s) / usable_s, 4)
            for name, lasts_s in zip(EMOTIONS, likeliest_s, strict=True)
            if usable_s
        },
        transitions=dict(sorted(changes.items())),
    )
