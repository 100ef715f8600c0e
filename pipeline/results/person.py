"""People of a video: figures of each, and names that a user gave: tracks of one name are one."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from models.emotions import EMOTIONS, valence_of
from pipeline.results.segments import Segment, segments_by_person
from pipeline.results.timeline import Timeline
from stages.batch import NOBODY


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
        shares: share of time for which each expression is the likeliest, or, where a user corrected
            the segments, is that of the segment; empty without any.
        means: mean probability of each expression; empty without usable time.
        valence: mean valence, see ``valence_of``; None without usable time.
        outputs: mean of each further output of networks, by column; those without a value are left
            out.
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
    means: dict[str, float]
    valence: float | None
    transitions: dict[str, int]
    outputs: dict[str, float] = field(default_factory=dict)


def people_of(
    timeline: Timeline, segments: Sequence[Segment], by_hand: bool = False
) -> list[Person]:
    """Everyone in a timeline, by person id.

    Args:
        by_hand: whether a user corrected the segments, which then tell what a face shows.
    """
    of_person = segments_by_person(segments)
    return [_person(timeline, person, of_person[person], by_hand) for person in timeline.people]


def usable_share(timeline: Timeline) -> float:
    """Share of the frames that have a usable face."""
    usable = np.unique(timeline.frame[timeline.usable])
    return round(len(usable) / max(1, len(np.unique(timeline.frame))), 4)


def _person(timeline: Timeline, track: int, segments: Sequence[Segment], by_hand: bool) -> Person:
    rows = timeline.rows_of(track)
    lasts_s = timeline.until_s[rows] - timeline.time_s[rows]
    # A video of a single frame has no duration; its face still has shares.
    weights = lasts_s if lasts_s.any() else np.ones(len(rows))
    usable = weights * timeline.usable[rows]
    usable_s = float(usable.sum())
    probabilities = timeline.probabilities[rows].astype(np.float64)
    labels = probabilities.argmax(axis=1)
    if by_hand:
        labels = _labels_by_hand(timeline.time_s[rows], segments)
    labelled = labels >= 0
    shown_s = np.bincount(labels[labelled], usable[labelled], minlength=len(EMOTIONS))
    means = usable @ probabilities / (usable_s or 1)
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
        shares=_by_emotion(shown_s / shown_s.sum()) if shown_s.any() else {},
        means=_by_emotion(means) if usable_s else {},
        valence=round(float(valence_of(probabilities) @ usable) / usable_s, 4)
        if usable_s
        else None,
        transitions=dict(sorted(changes.items())),
        outputs={
            name: round(float(mean), 4)
            for name, values in timeline.outputs.items()
            if np.isfinite(mean := _mean_of_known(values[rows], usable))
        },
    )


def _mean_of_known(values: NDArray[np.float32], weights: NDArray[np.float64]) -> float:
    """Weighted mean of the values that are numbers; NaN without any."""
    known = weights * np.isfinite(values)
    return float(known @ np.nan_to_num(values)) / float(known.sum()) if known.any() else np.nan


def _by_emotion(figures: NDArray[np.float64]) -> dict[str, float]:
    return {name: round(float(figure), 4) for name, figure in zip(EMOTIONS, figures, strict=True)}


def _labels_by_hand(time_s: NDArray[np.float64], segments: Sequence[Segment]) -> NDArray[np.int64]:
    """The index of each frame's expression; -1 outside of segments, and where one is unclear."""
    labels = np.full(len(time_s), -1)
    for segment in segments:
        if segment.emotion in EMOTIONS:
            first, last = np.searchsorted(time_s, (segment.start_s, segment.end_s))
            labels[first:last] = EMOTIONS.index(segment.emotion)
    return labels


Names = Mapping[int, str]
"""Names by track; the tracks of an empty name are left out, others have none."""


def persons(names: Names) -> dict[int, int]:
    """The track that stands for each named track: the first of its name, ``NOBODY`` if left out."""
    first: dict[str, int] = {"": NOBODY}
    return {track: first.setdefault(names[track], track) for track in sorted(names)}


def name_of(track: int, names: Names) -> str:
    """What to call a person: ``Anna``, or ``Person 1`` without a name."""
    return names.get(track) or f"Person {track}"


def numbers_of(track: int, names: Names) -> list[int]:
    """The tracks of a person with a name, which films show; none without one."""
    return [own for own, stands_for in persons(names).items() if stands_for == track]


def with_names(timeline: Timeline, names: Names) -> Timeline:
    """The timeline with the tracks of one name as one, and without those that are left out.

    Where two tracks of one name are seen at once, the larger face counts.
    """
    if not names:
        return timeline
    new = persons(names)
    known, places = np.unique(timeline.track, return_inverse=True)
    track = np.array([new.get(int(old), int(old)) for old in known], np.int64)[places]
    area = timeline.boxes[:, 2] * timeline.boxes[:, 3]
    by_size = np.lexsort((-area, track, timeline.frame))
    same = (np.diff(timeline.frame[by_size]) == 0) & (np.diff(track[by_size]) == 0)
    track[by_size[1:][same]] = NOBODY
    return replace(timeline, track=track, usable=timeline.usable & (track != NOBODY))


def segments_with_names(segments: Sequence[Segment], names: Names) -> list[Segment]:
    """The segments of what ``with_names`` makes of their timeline, by person and time."""
    new = persons(names)
    renamed = [
        replace(segment, track=new.get(segment.track, segment.track)) for segment in segments
    ]
    seen = [segment for segment in renamed if segment.track != NOBODY]
    return sorted(seen, key=lambda segment: (segment.track, segment.start_s))
