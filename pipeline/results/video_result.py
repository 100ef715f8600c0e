"""What exports and the report of a video are made of."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pyarrow

from configs.schema import PictureSettings, Settings
from pipeline.results.person import Names, Person, people_of, segments_with_names, with_names
from pipeline.results.segments import LABELS, Segment, segments_of
from pipeline.results.summary import Provenance
from pipeline.results.timeline import Timeline, read_table, timeline_of
from stages.columns import TimelineColumn, timeline_columns


@dataclass(frozen=True, kw_only=True)
class Recorded:
    """What is known of a video beside its table.

    Attributes:
        source: the video, as given.
        film: path of the annotated video, or of the source if there is none.
        film_starts_s: presentation time of the film's first frame, in seconds.
        provenance: of the table.
        gaps_s: when a live stream was lost, in seconds from the first frame.
    """

    source: Path
    film: Path
    film_starts_s: float
    provenance: Provenance
    gaps_s: Sequence[float] = ()


@dataclass(frozen=True, kw_only=True)
class VideoResult(Recorded):
    """A video with a complete table, and the segments and people in it.

    Attributes:
        table: all columns of ``timeline.csv``.
        timeline, segments, people: with the tracks of one name as one.
        names: of people, as a user gave them.
        picture: what the picture of the timeline shows, and its size.
    """

    table: pyarrow.Table
    timeline: Timeline
    segments: list[Segment]
    people: list[Person]
    names: Names = field(default_factory=dict)
    picture: PictureSettings = PictureSettings()

    @property
    def columns(self) -> list[TimelineColumn]:
        """Those of the table."""
        keep_raw = self.provenance.settings["smooth"]["keep_raw"]
        return timeline_columns(keep_raw, self.provenance.outputs)

    @property
    def begins_s(self) -> float:
        """The time of the first frame in the table."""
        return float(self.timeline.time_s[0])

    @property
    def ends_s(self) -> float:
        """Until when the last one is shown."""
        return float(self.timeline.until_s[-1])

    @property
    def blurred(self) -> bool:
        """Whether faces were made unrecognisable in all that is written."""
        return bool(self.provenance.settings["video"]["blur"])

    def film_ms(self, at_s: float) -> int:
        """When a moment of the timeline is shown in the film, in milliseconds.

        Rounded down, so that no segment begins after its first frame; from microseconds, as a table
        has them.
        """
        return round((self.film_starts_s + at_s) * 1_000_000) // 1000


def read_result(
    path: Path,
    recorded: Recorded,
    settings: Settings,
    names: Names | None = None,
    read_segments: Callable[[Timeline], list[Segment]] | None = None,
) -> VideoResult:
    """Read a complete table, and find its segments and people.

    Args:
        path: of the table.
        names: of people, as a user gave them.
        read_segments: gives those that a user corrected.

    Raises:
        SourceError: the table cannot be read.
    """
    rows, names = read_table(path), names or {}
    by_track = timeline_of(rows, recorded.gaps_s, recorded.provenance.outputs)
    timeline = with_names(by_track, names)
    if read_segments is not None:
        segments = segments_with_names(read_segments(by_track), names)
    else:
        segments = segments_of(timeline, settings.segments)
    people = people_of(timeline, segments, by_hand=read_segments is not None)
    return VideoResult(
        **vars(recorded),
        table=rows,
        timeline=timeline,
        segments=segments,
        people=people,
        names=names,
        picture=settings.picture,
    )


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
