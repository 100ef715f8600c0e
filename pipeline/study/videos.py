"""The results in an output folder; ``videos.csv`` and ``people.csv`` of them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import pandas

from configs.errors import SourceError
from configs.load import with_changes
from configs.schema import Settings
from models.emotions import EMOTIONS
from pipeline.result_folders import TABLE, folders_with_summaries, name_in
from pipeline.results.person import Names, with_names
from pipeline.results.renew import result_in
from pipeline.results.summary import Provenance, Summary, read_summary
from pipeline.results.timeline import FURTHER, Timeline, read_table, timeline_of
from pipeline.study.annotations import Study
from pipeline.study.study_columns import (
    BASELINES,
    EMPTY,
    MEASURED,
    NAME,
    SHARE,
    TRACK,
    VIDEO,
    means_of,
    table_of,
    write_table,
)
from stages.columns import PROBABILITY, Column, TimelineColumn, network_columns


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


VIDEOS, PEOPLE = "videos.csv", "people.csv"

VIDEO_COLUMNS = (
    VIDEO,
    Column("status", "How the analysis ended.", None, "string",
           {"complete": "The whole video is in the tables.",
            "partial": "The video is damaged or the run was stopped; what could be decoded is in "
                       "the tables.",
            "failed": "There are no tables."}),
    Column("reason", "Why it is not complete; empty if it is.", type="string"),
    Column("duration_s", "Time from the first frame to the last. Empty, as all that follows, "
           "without tables.", "s"),
    Column("frames", "Number of frames.", type="integer"),
    Column("usable_share", "Share of the frames that have a usable face.", SHARE),
    Column("people", "Number of people.", type="integer"),
    Column("segments", "Who made the segments.", None, "string",
           {"by the program": "They are found in the timeline.",
            "by hand": "A user corrected them in ELAN."}),
)  # fmt: skip

PERSON_COLUMNS = (
    VIDEO,
    TRACK,
    NAME,
    Column("first_s", "When the face is first seen, from the first frame of the video.", "s"),
    Column("last_s", "When it is last seen.", "s"),
    Column("face_s", "Time that it is seen in all.", "s"),
    Column("usable_share", "Share of this time for which the face is usable: what follows is over "
           "this time, but for changes.", SHARE),
    Column("confidence", f"Mean probability of the likeliest expression. {EMPTY}",
           PROBABILITY),
    *means_of(MEASURED),
    *(
        Column(f"share_{name}", f"Share of time for which {name} is the likeliest expression, or, "
               f"where segments are by hand, is theirs. {EMPTY}", SHARE)
        for name in EMOTIONS
    ),
    Column("changes", "Number of changes from one segment's expression to the next one's.",
           type="integer"),
    Column("changes_per_min", "The same by time seen.", "1/min"),
)  # fmt: skip


def tables_of(
    videos: Iterable[Video], study: Study
) -> tuple[dict[str, tuple[pandas.DataFrame, list[Column]]], list[str]]:
    """Both tables, with the columns of participants.

    Args:
        study: the user's annotations.

    Returns:
        ``VIDEOS`` and ``PEOPLE`` with their columns, and what is wrong with timelines that cannot
        be read; people of these are left out.
    """
    rows, people, problems = [], [], []
    videos = list(videos)
    for video in videos:
        row: dict[str, Any] = {
            "video": video.name, "status": video.summary.status, "reason": video.summary.reason
        }  # fmt: skip
        if video.has_table:
            try:
                persons, usable_share = _persons(video, study), video.summary.usable_share
            except SourceError as error:
                problems.append(str(error))
                persons, usable_share = [], None
            people += [_person(video, person, study) for person in persons]
            row |= {
                "duration_s": video.summary.duration_s,
                "frames": video.summary.frames,
                "usable_share": usable_share,
                "people": len(persons),
                "segments": "by hand" if video.summary.by_hand else "by the program",
            }
        rows.append(row)
    compared = BASELINES if study.baselines is not None else ()
    # Beyond the seven expressions, summaries have the means of networks alone.
    networks = [column for column in further_in(videos) if column.network]
    of_people = [*PERSON_COLUMNS, *compared, *means_of(networks)]
    tables = {
        VIDEOS: study.joined(table_of(rows, VIDEO_COLUMNS), VIDEO_COLUMNS),
        PEOPLE: study.joined(table_of(people, of_people), of_people),
    }
    return tables, problems


def write_people(out: Path, videos: Iterable[Video], study: Study) -> list[str]:
    """Write both tables into an output folder; returns problems, as ``tables_of``.

    Raises:
        OutputError: one cannot be written.
    """
    tables, problems = tables_of(videos, study)
    for name, (table, columns) in tables.items():
        write_table(table, columns, out / name)
    return problems


def _persons(video: Video, study: Study) -> list[dict[str, Any]]:
    """The figures of each person: the summary has them, but for names that join tracks."""
    persons = list(video.summary.people)
    if names := study.names_of(video):
        found = video.summary, video.made_by
        result = result_in(video.folder, found, video.settings, names)
        persons = [asdict(person) for person in result.people]
    if study.main_person:
        persons = sorted(persons, key=lambda person: -person["face_s"])[:1]
    return persons


def _person(video: Video, figures: dict[str, Any], study: Study) -> dict[str, Any]:
    changes = sum(figures["transitions"].values())
    face_s = figures["face_s"]
    return {
        **figures,
        "video": video.name,
        "name": study.names_of(video).get(figures["track"]),
        **{f"mean_{name}": mean for name, mean in figures["means"].items()},
        "mean_valence": figures["valence"],
        **{f"mean_{name}": mean for name, mean in figures["outputs"].items()},
        **{f"share_{name}": share for name, share in figures["shares"].items()},
        "changes": changes,
        "changes_per_min": changes / face_s * 60 if face_s else None,
        **study.baselines_of(video).get(figures["track"], {}),
    }
