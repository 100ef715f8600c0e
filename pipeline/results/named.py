"""People as a user named them: tracks of one name are one person."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from pipeline.results.segments import Segment
from pipeline.results.timeline import NOBODY, Timeline

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
