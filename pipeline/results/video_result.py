"""What exports and the report of a video are made of."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pyarrow

from configs.schema import PictureSettings, Settings
from pipeline.results.named import Names, segments_with_names, with_names
from pipeline.results.people import Person, people_of
from pipeline.results.segments import Segment, segments_of
from pipeline.results.summary import Provenance
from pipeline.results.timeline import Timeline, read_table, timeline_of


@dataclass(frozen=True)
class VideoResult:
    """A video with a complete table, and the segments and people in it.

    Attributes:
        source: the video, as given.
        film: path of the annotated video, or of the source if there is none.
        film_starts_s: presentation time of the film's first frame, in seconds.
        table: all columns of ``timeline.csv``.
        timeline, segments, people: with the tracks of one name as one.
        provenance: of the table.
        names: of people, as a user gave them.
        picture: what the picture of the timeline shows, and its size.
    """

    source: Path
    film: Path
    film_starts_s: float
    table: pyarrow.Table
    timeline: Timeline
    segments: list[Segment]
    people: list[Person]
    provenance: Provenance
    names: Names = field(default_factory=dict)
    picture: PictureSettings = PictureSettings()

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
    table: Path,
    source: Path,
    film: Path,
    film_starts_s: float,
    settings: Settings,
    provenance: Provenance,
    gaps_s: Sequence[float] = (),
    names: Names | None = None,
    read_segments: Callable[[Timeline], list[Segment]] | None = None,
) -> VideoResult:
    """Read a complete table, and find its segments and people.

    Args:
        gaps_s: when a live stream was lost, in seconds from the first frame.
        names: of people, as a user gave them.
        read_segments: gives those that a user corrected.

    Raises:
        SourceError: the table cannot be read.
    """
    rows, names = read_table(table), names or {}
    recorded = timeline_of(rows, gaps_s, provenance.outputs)
    timeline = with_names(recorded, names)
    if read_segments is not None:
        segments = segments_with_names(read_segments(recorded), names)
    else:
        segments = segments_of(timeline, settings.segments)
    people = people_of(timeline, segments, by_hand=read_segments is not None)
    return VideoResult(
        source,
        film,
        film_starts_s,
        rows,
        timeline,
        segments,
        people,
        provenance,
        names,
        settings.picture,
    )
