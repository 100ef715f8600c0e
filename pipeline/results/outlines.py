"""Outlines of segments in pictures: their height is the probability of the expression."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from models.emotions import EMOTIONS
from pipeline.results.segments import UNCLEAR, Segment
from pipeline.results.timeline import Timeline
from stages import colours

COLOURS_RGB = colours.COLOURS_RGB | {UNCLEAR: colours.UNCLEAR_RGB}
"""By label of segments."""


@dataclass(frozen=True)
class Outline:
    """The outline of one segment, in steps.

    Attributes:
        edges_s: (n + 1,) float64, where steps begin and the last one ends, in seconds.
        heights: (n,) float64, mean probability of the expression in each step, 0 to 1; of an
            unclear segment, of whichever is the likeliest.
    """

    segment: Segment
    edges_s: np.ndarray
    heights: np.ndarray


def outlines_of(
    timeline: Timeline, segments: Sequence[Segment], max_steps: int
) -> Iterator[Outline]:
    """The outlines of one person's segments.

    Args:
        max_steps: over the whole timeline; a segment has a share of them by its length.
    """
    if not segments:
        return
    rows = timeline.rows_of(segments[0].track)
    times_s, length_s = timeline.time_s[rows], float(timeline.until_s[-1])
    for segment in segments:
        first, last = np.searchsorted(times_s, (segment.start_s, segment.end_s))
        probabilities = timeline.probabilities[rows[first : max(last, first + 1)]]
        if segment.emotion == UNCLEAR:
            shown = probabilities.max(axis=1).astype(np.float64)
        else:
            shown = probabilities[:, EMOTIONS.index(segment.emotion)].astype(np.float64)
        steps = min(len(shown), max(1, round(max_steps * segment.duration_s / max(length_s, 1e-9))))
        starts = np.arange(steps) * len(shown) // steps
        heights = np.add.reduceat(shown, starts) / np.diff(np.append(starts, len(shown)))
        yield Outline(segment, np.append(times_s[first + starts], segment.end_s), heights)
