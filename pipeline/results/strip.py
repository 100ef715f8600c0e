"""A whole timeline in a few characters, for lists of many videos."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from pipeline.results.segments import LABELS, Segment

PARTS = 60
NOBODY_SEEN = "-"


def strip_of(segments: Sequence[Segment], length_s: float) -> str:
    """The label that lasts longest, over all people, in each of ``PARTS`` equal parts of a video.

    Returns:
        A character a part: the label's place in ``LABELS``, or ``-`` where nobody is seen.

    Example:
        strip_of([Segment(1, "happy", 0.0, 30.0, 0.9, 2.0, 0.95)], 60.0)    # 333...---
    """
    part_s = max(length_s, 1e-9) / PARTS
    lasts_s = np.zeros((PARTS, len(LABELS)))
    for segment in segments:
        # A video of a single frame has no duration; its face still has an expression.
        start, end = segment.start_s / part_s, max(segment.end_s, segment.start_s + 1e-9) / part_s
        first, stop = min(int(start), PARTS - 1), min(int(np.ceil(end)), PARTS)
        parts = np.arange(first, max(stop, first + 1))
        within = np.minimum(end, parts + 1) - np.maximum(start, parts)
        lasts_s[parts, LABELS.index(segment.emotion)] += np.maximum(within, 1e-12)
    longest = lasts_s.argmax(axis=1)
    return "".join(
        str(label) if lasts_s[part, label] else NOBODY_SEEN for part, label in enumerate(longest)
    )
