"""What a user told of an output folder's results, for the runs that write there."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from pipeline.places import STUDY, name_in
from pipeline.results.person import Names
from pipeline.results.summary import Summary
from pipeline.sources import Job

if TYPE_CHECKING:
    from pipeline.study.study import Study


class FolderAnnotations:
    """The ``Annotations`` of a run: ``study.json``, and the tables over all results.

    It is read when it is first asked for: by then the run has locked the folder.
    """

    def __init__(self, out: Path) -> None:
        self._out = out

    def with_events(self, jobs: Iterable[Job]) -> list[Job]:
        """Videos with the events in them."""
        if self._study is None:
            return list(jobs)
        events = self._study.events
        return [
            replace(job, events=tuple(events.get(name_in(self._out, job.folder), ())))
            for job in jobs
        ]

    def names(self, folder: Path, summary: Summary) -> Names:
        """The names of people in the result in a folder."""
        if self._study is None:
            return {}
        return self._study.names_in(name_in(self._out, folder), summary.ended_at)

    def prepare(self) -> None:
        """Import what ``write_tables`` needs, which is slow."""
        import pipeline.study.people  # noqa: F401

    def write_tables(self) -> None:
        """Write ``videos.csv`` and ``people.csv`` over all results that are there now.

        Raises:
            OutputError: one cannot be written.
        """
        from pipeline.study.people import write_people
        from pipeline.study.study import read_study
        from pipeline.study.videos import videos_in

        write_people(self._out, videos_in(self._out), read_study(self._out))

    @cached_property
    def _study(self) -> Study | None:
        """None if ``export`` was never used there."""
        if not (self._out / STUDY).is_file():
            return None
        from pipeline.study.study import read_study  # pandas is slow to import.

        return read_study(self._out)
