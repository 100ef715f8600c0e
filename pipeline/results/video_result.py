"""A video whose table is complete, and what was made of it: what exports and reports show."""

from __future__ import annotations

from collections.abc import Mapping
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
    """A video whose table is complete, and what was made of it.

    Attributes:
        source: the video, as it was given.
        film: the annotated video, or the source if there is none.
        film_starts_s: the time at which the film's own clock shows the first frame.
        table: all columns of ``timeline.csv``.
        provenance: what made the table.
    """

    source: Path
    film: Path
    film_starts_s: float
    table: pyarrow.Table
    timeline: Timeline
    segments: list[Segment]
    people: list[Person]
    provenance: Mapping[str, Any]


def read_result(
    table: Path,
    source: Path,
    film: Path,
    film_starts_s: float,
    settings: Settings,
    provenance: Mapping[str, Any],
) -> VideoResult:
    """Read a complete table, and find segments and people in it.

    Raises:
        SourceError: the table cannot be read.
    """
    rows = read_table(table)
    timeline = timeline_of(rows)
    segments = segments_of(timeline, settings.segments)
    people = people_of(timeline, segments)
    return VideoResult(source, film, film_starts_s, rows, timeline, segments, people, provenance)
