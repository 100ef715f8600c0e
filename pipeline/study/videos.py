"""The results in an output folder."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from configs.load import with_changes
from configs.schema import Settings
from pipeline.places import TABLE, folders_with_summaries, name_in
from pipeline.results.person import Names, with_names
from pipeline.results.renew import result_in
from pipeline.results.summary import Provenance, Summary, read_summary
from pipeline.results.timeline import FURTHER, Timeline, read_table, timeline_of
from pipeline.results.video_result import VideoResult
from stages.columns import TimelineColumn, network_columns


@dataclass(frozen=True)
class Video:
    """A video with a summary.

    Attributes:
        name: its folder within the output folder, as in the column ``video`` of every table.
    """

    name: str
    folder: Path
    summary: Summary
    made_by: Provenance

    @property
    def begins_s(self) -> float:
        """About when its table begins, in seconds from the first frame of the file."""
        return float(self.made_by.settings["read"]["from_s"])

    @property
    def has_table(self) -> bool:
        return self.summary.status != "failed" and (self.folder / TABLE).exists()

    @cached_property
    def settings(self) -> Settings:
        """Those that its segments were made with."""
        own = {"segments": self.made_by.settings["segments"]}
        return with_changes(Settings(), own, str(self.folder))

    @property
    def tracks(self) -> list[int]:
        """Everyone in it."""
        return [person["track"] for person in self.summary.people]

    def read(self, names: Names | None = None) -> VideoResult:
        """Its table, segments and people.

        Args:
            names: of its people, by track.

        Raises:
            SourceError: the table cannot be read.
        """
        return result_in(self.folder, (self.summary, self.made_by), self.settings, names)

    def timeline(self, names: Names) -> Timeline:
        """Its table alone.

        Args:
            names: of its people, by track.

        Raises:
            SourceError: the table cannot be read.
        """
        rows = read_table(self.folder / TABLE)
        return with_names(timeline_of(rows, self.summary.gaps_s, self.made_by.outputs), names)


def videos_in(out: Path) -> Iterator[Video]:
    """All results in an output folder, by name."""
    for folder in folders_with_summaries(out):
        found = read_summary(folder)
        if found:
            yield video_at(out, folder, found)


def further_in(videos: Iterable[Video]) -> list[TimelineColumn]:
    """What figures are of beyond the seven expressions and valence: ``FURTHER`` and the columns of
    networks in any of some videos; of several of one name, the first."""
    found = {column.name: column for column in FURTHER}
    for video in videos:
        for column in network_columns(video.made_by.outputs):
            found.setdefault(column.name, column)
    return [*found.values()]


def video_at(out: Path, folder: Path, found: tuple[Summary, Provenance]) -> Video:
    """The result in a folder below an output folder.

    Args:
        found: what ``read_summary`` returns for it.
    """
    return Video(name_in(out, folder), folder, *found)
