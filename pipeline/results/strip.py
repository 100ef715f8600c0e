"""A whole timeline in a few characters, for lists of many videos."""

from __future__ import annotations

import numpy as np

from pipeline.results.segments import LABELS
from pipeline.results.video_result import VideoResult

PARTS = 60
NOBODY_SEEN = "-"


def strip_of(result: VideoResult) -> str:
    """The label that lasts longest, over all people, in each of ``PARTS`` equal parts of a video.

    Returns:
        A character a part: the label's place in ``LABELS``, or ``-`` where nobody is seen.

    Example:
        strip_of(result)    # 4444433333333333-----333344, four times as long
    """
    part_s = max(result.ends_s - result.begins_s, 1e-9) / PARTS
    seen = np.zeros((PARTS, len(LABELS)))
    for segment in result.segments:
        # A video of a single frame has no duration; its face still has an expression.
        lasts_s = max(segment.end_s - segment.start_s, 1e-9)
        start = (segment.start_s - result.begins_s) / part_s
        end = start + lasts_s / part_s
        first, stop = min(int(start), PARTS - 1), min(int(np.ceil(end)), PARTS)
        parts = np.arange(first, max(stop, first + 1))
        within = np.minimum(end, parts + 1) - np.maximum(start, parts)
        seen[parts, LABELS.index(segment.emotion)] += np.maximum(within, 1e-12)
    longest = seen.argmax(axis=1)
    return "".join(
        str(label) if seen[part, label] else NOBODY_SEEN for part, label in enumerate(longest)
    )
