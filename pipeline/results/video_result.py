"""What exports and the report of a video are made of."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow

from configs.schema import Settings
from pipeline.results.people import Person, people_of
from pipeline.results.segments import Segment, segments_of
from pipeline.results.timeline import Timeline, read_table, timeline_of


@dataclass(frozen=True)
class VideoResult:
    """A video with a complete table, and the segments and people in it.

    Attributes:
        source: the video, as given.
        film: path of the annotated video, or of the source if there is none.
        film_starts_s: presentation time of the film's first frame, in seconds.
        table: all columns of ``timeline.csv``.
        provenance: of the table, as in ``summary.json``.
    """

    source: Path
    film: Path
    film_starts_s: float
    table: pyarrow.Table
    timeline: Timeline
    segments: list[Segment]
    people: list[Person]
    provenance: Mapping[str, Any]

    @property
    def blurred(self) -> bool:
        """Whether faces were made unrecognisable in all that is written."""
        video = self.provenance.get("settings", {}).get("video", {})
        return bool(video.get("blur"))  # The first version did not have it.

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
    provenance: Mapping[str, Any],
    gaps_s: Sequence[float] = (),
) -> VideoResult:
    """Read a complete table, and find its segments and people.

    Args:
        gaps_s: when a live stream was lost, in seconds from the first frame.

    Raises:
        SourceError: the table cannot be read.
    """
    rows = read_table(table)
    timeline = timeline_of(rows, gaps_s)
    segments = segments_of(timeline, settings.segments)
    people = people_of(timeline, segments)
    return VideoResult(source, film, film_starts_s, rows, timeline, segments, people, provenance)
