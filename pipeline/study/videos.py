"""The results in an output folder."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from configs.load import with_changes
from configs.names import as_text
from configs.schema import Settings
from models.card import OutputColumn
from pipeline.places import TABLE, folders_with_summaries
from pipeline.results.named import Names, with_names
from pipeline.results.outputs import outputs_of
from pipeline.results.renew import result_in
from pipeline.results.summary import Provenance, Summary, read_summary
from pipeline.results.timeline import Timeline, read_table, timeline_of
from pipeline.results.video_result import VideoResult


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
        return float((self.made_by.settings.get("read") or {}).get("from_s") or 0)

    @property
    def has_table(self) -> bool:
        return self.summary.status != "failed" and (self.folder / TABLE).exists()

    @cached_property
    def settings(self) -> Settings:
        """Those that its segments were made with; what it does not tell has its default."""
        own = self.made_by.settings.get("segments") or {}
        known = {name: own[name] for name in type(Settings().segments).model_fields if name in own}
        return with_changes(Settings(), {"segments": known}, str(self.folder))

    @property
    def outputs(self) -> list[OutputColumn]:
        """The columns that networks gave it beyond the seven expressions."""
        return outputs_of(vars(self.made_by))

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
        return with_names(timeline_of(rows, self.summary.gaps_s), names)


def videos_in(out: Path) -> Iterator[Video]:
    """All results in an output folder, by name."""
    for folder in folders_with_summaries(out):
        found = read_summary(folder)
        if found:
            yield video_at(out, folder, found)


def outputs_in(videos: Iterable[Video]) -> list[OutputColumn]:
    """The columns of networks in any of some videos; of several of one name, the first."""
    found: dict[str, OutputColumn] = {}
    for video in videos:
        for column in video.outputs:
            found.setdefault(column.name, column)
    return [*found.values()]


def video_at(out: Path, folder: Path, found: tuple[Summary, Provenance]) -> Video:
    """The result in a folder below an output folder.

    Args:
        found: what ``read_summary`` returns for it.
    """
    return Video(name_in(out, folder), folder, *found)


def name_in(out: Path, folder: Path) -> str:
    """What a video is called in tables, by its folder below an output folder."""
    place = folder.relative_to(out)
    return as_text(place.as_posix() if place.parts else folder.resolve().name)
