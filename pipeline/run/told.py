"""What a user told the command ``export`` of results, for later runs in the same output folder."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from pipeline.places import STUDY
from pipeline.results.named import Names
from pipeline.results.summary import Summary
from pipeline.sources import Job
from pipeline.study.videos import name_in

if TYPE_CHECKING:
    from pipeline.study.study import Study


class Told:
    """What is told in an output folder: nothing, if ``export`` was never used there."""

    def __init__(self, out: Path) -> None:
        self._out, self._study = out, _study_in(out)

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


def _study_in(out: Path) -> Study | None:
    if not (out / STUDY).is_file():
        return None
    from pipeline.study.study import read_study  # pandas is slow to import.

    return read_study(out)
