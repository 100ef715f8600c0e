"""The results in an output folder."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from configs.errors import SourceError
from configs.load import with_changes
from configs.names import as_text
from configs.schema import Settings
from pipeline.places import TABLE, folders_with_summaries
from pipeline.results.named import Names
from pipeline.results.renew import result_in
from pipeline.results.summary import Provenance, Summary, read_summary
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

    @cached_property
    def made_by(self) -> Provenance:
        """What made it.

        Raises:
            SourceError: its summary is gone.
        """
        found = read_summary(self.folder)
        if found is None:
            raise SourceError(f"{self.folder}: its summary.json is gone")
        return found[1]

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


def videos_in(out: Path) -> Iterator[Video]:
    """All results in an output folder, by name."""
    for folder in folders_with_summaries(out):
        found = read_summary(folder)
        if found:
            yield video_at(out, folder, found[0])


def video_at(out: Path, folder: Path, summary: Summary) -> Video:
    """The result in a folder below an output folder."""
    place = folder.relative_to(out)
    name = place.as_posix() if place.parts else folder.resolve().name
    return Video(as_text(name), folder, summary)
