"""A user's annotations of results: ``study.json`` in an output folder, which later runs heed."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel

from pipeline.result_folders import STUDY, SUMMARY, folders_with_summaries, name_in
from pipeline.results.person import Names
from pipeline.results.summary import Summary
from pipeline.sources import Event, Job
from stages.columns import Column
from stages.write.files import output_errors_name, write_atomically

if TYPE_CHECKING:
    import pandas  # Slow to import: also below, only what uses it does.

    from pipeline.study.user_files import Participants
    from pipeline.study.videos import Video

Baselines = Mapping[int, Mapping[str, float]]

EXPORTED: dict[str, tuple[str, ...]] = {
    "bins": (), "events": (), "conditions": (".png", ".svg"), "synchrony": (),
}  # fmt: skip
"""Tables that only the command ``export`` writes, and the endings of pictures of them."""


@dataclass(frozen=True)
class Study:
    """A user's annotations of videos and people.

    Attributes:
        names: of people, by video and track.
        analysed: when each video was analysed.
        participants: None if there are no annotations of them.
        main_person: only the person seen longest in each video counts.
        events: by video, in the order of time.
        baselines: means compared with neutral faces, ``BASELINE_MEASURES`` by video and track,
            as far as there are any; None if that is not asked for.
    """

    names: Mapping[str, Names] = field(default_factory=dict)
    analysed: Mapping[str, str | None] = field(default_factory=dict)
    participants: Participants | None = None
    main_person: bool = False
    events: Mapping[str, Sequence[Event]] = field(default_factory=dict)
    baselines: Mapping[str, Baselines] | None = None

    def names_of(self, video: Video) -> Names:
        """The names in a video."""
        return self.names_in(video.name, video.summary.ended_at)

    def names_in(self, video: str, ended_at: str | None) -> Names:
        """Likewise; none if it was analysed again since, as tracks may differ.

        Args:
            ended_at: when its analysis ended.
        """
        return self.names.get(video, {}) if self.analysed.get(video) == ended_at else {}

    def baselines_of(self, video: Video) -> Baselines:
        """Means compared with neutral faces, of the people in a video; none, likewise."""
        current = self.analysed.get(video.name) == video.summary.ended_at
        return (self.baselines or {}).get(video.name, {}) if current else {}

    def events_of(self, video: Video) -> Sequence[Event]:
        """What happens in a video."""
        return self.events.get(video.name, ())

    def join(self, table: pandas.DataFrame) -> pandas.DataFrame:
        """A table with the columns of participants."""
        return self.participants.join(table) if self.participants else table

    def joined(
        self, table: pandas.DataFrame, columns: Iterable[Column]
    ) -> tuple[pandas.DataFrame, list[Column]]:
        """Likewise, and all its columns.

        Args:
            columns: of the table, without those of participants.
        """
        from pipeline.study.study_columns import added_columns

        rows = self.join(table)
        added = self.participants.columns if self.participants else []
        of_participants = [name for name in added if name in rows]
        return rows, [*columns, *added_columns(rows, of_participants, "--participants")]

    def write(self, out: Path, made_by: Mapping[str, Any]) -> None:
        """Write ``study.json`` into an output folder.

        Args:
            made_by: how the tables beside it were made.

        Raises:
            OutputError: it cannot be written.
        """
        rows = self.participants.rows.to_dict("records") if self.participants else []
        values = {
            "names": self.names,
            "analysed": self.analysed,
            "participants": rows,
            "main_person": self.main_person,
            "events": self.events,
            "baselines": self.baselines,
            "results": _states(out),
            **made_by,
        }
        write_atomically(out / STUDY, json.dumps(values, indent=2, ensure_ascii=False) + "\n")


class _Stored(BaseModel):
    """What ``Study`` has of ``study.json``; tracks are numbers again, which JSON has as text."""

    names: dict[str, dict[int, str]]
    analysed: dict[str, str | None]
    participants: list[dict[str, str]]
    main_person: bool
    events: dict[str, list[Event]]
    baselines: dict[str, dict[int, dict[str, float]]] | None


def read_study(out: Path) -> Study:
    """The annotations in an output folder; none if ``study.json`` is absent or destroyed."""
    try:
        stored = _Stored.model_validate_json((out / STUDY).read_bytes())
    except (OSError, ValueError):
        return Study()
    participants = None
    if stored.participants:
        import pandas

        from pipeline.study.user_files import Participants

        participants = Participants(pandas.DataFrame(stored.participants, dtype=str))
    return Study(**{**dict(stored), "participants": participants})


def changed_since_export(out: Path) -> list[str]:
    """The videos that were analysed, renewed, added or deleted since ``export`` made its tables."""
    try:
        before = json.loads((out / STUDY).read_bytes())["results"]
    except (OSError, ValueError, KeyError, TypeError):
        return []
    now = _states(out)
    return sorted(name for name in {*before, *now} if before.get(name) != now.get(name))


def _states(out: Path) -> dict[str, str]:
    """The hash of each result's summary, in hexadecimal, by the video's name."""
    return {
        name_in(out, folder): hashlib.sha256((folder / SUMMARY).read_bytes()).hexdigest()
        for folder in folders_with_summaries(out)
    }


def remove_exported(out: Path, but: Sequence[str] = ()) -> list[str]:
    """Remove tables of an earlier export, which are not true any more; returns their names.

    Args:
        but: names of tables that are kept.

    Raises:
        OutputError: one cannot be removed.
    """
    removed = []
    for name, belongings in EXPORTED.items():
        table = out / f"{name}.csv"
        # Without its codebook it is no table of ours.
        if table.name in but or not (table.exists() and table.with_suffix(".json").exists()):
            continue
        with output_errors_name(table):
            for suffix in (".csv", ".json", *belongings):
                table.with_suffix(suffix).unlink(missing_ok=True)
        removed.append(table.name)
    return removed


class FolderAnnotations:
    """The ``Annotations`` of a run: ``study.json``, and the tables over all results.

    It is read when it is first asked for: by then the run has locked the folder.

    Attributes:
        removed: tables of ``export`` that ``write_tables`` removed.
    """

    def __init__(self, out: Path) -> None:
        self._out = out
        self.removed: list[str] = []

    def with_events(self, jobs: Iterable[Job]) -> list[Job]:
        """Videos with the events in them."""
        events = self._study.events
        return [
            replace(job, events=tuple(events.get(name_in(self._out, job.folder), ())))
            for job in jobs
        ]

    def names(self, folder: Path, summary: Summary) -> Names:
        """The names of people in the result in a folder."""
        return self._study.names_in(name_in(self._out, folder), summary.ended_at)

    def prepare(self) -> None:
        """Import what ``write_tables`` needs, which is slow."""
        import pipeline.study.videos  # noqa: F401

    def write_tables(self) -> None:
        """Write ``videos.csv`` and ``people.csv`` over all results that are there now.

        Other tables, which ``export`` made of results that have changed since, are removed.

        Raises:
            OutputError: one cannot be written or removed.
        """
        from pipeline.study.videos import videos_in, write_people

        write_people(self._out, videos_in(self._out), read_study(self._out))
        if changed_since_export(self._out):
            self.removed = remove_exported(self._out)

    @cached_property
    def _study(self) -> Study:
        return read_study(self._out)
