"""The shape that a segment has in a picture: as high as its expression is likely."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from models.emotions import EMOTIONS
from pipeline.results.segments import Segment
from pipeline.results.timeline import Timeline


@dataclass(frozen=True)
class Outline:
    """Steps of one segment.

    Attributes:
        edges_s: (n + 1,) float64, where the steps begin, and where the last one ends, in seconds.
        heights: (n,) float64, mean probability of the segment's expression in each, 0 to 1.
    """

    segment: Segment
    edges_s: np.ndarray
    heights: np.ndarray


def outlines_of(
    timeline: Timeline, segments: Sequence[Segment], most_steps: int
) -> Iterator[Outline]:
    """The outlines of one person's segments.

    Args:
        most_steps: for the length of the whole timeline; a segment has its share of them.
    """
    if not segments:
        return
    rows = timeline.rows_of(segments[0].track)
    times_s, length_s = timeline.time_s[rows], float(timeline.until_s[-1])
    for segment in segments:
        first, last = np.searchsorted(times_s, (segment.start_s, segment.end_s))
        shown = timeline.probabilities[
            rows[first : max(last, first + 1)], EMOTIONS.index(segment.emotion)
        ].astype(np.float64)
        steps = min(
            len(shown), max(1, round(most_steps * segment.duration_s / max(length_s, 1e-9)))
        )
        starts = np.arange(steps) * len(shown) // steps
        heights = np.add.reduceat(shown, starts) / np.diff(np.append(starts, len(shown)))
        yield Outline(segment, np.append(times_s[first + starts], segment.end_s), heights)
