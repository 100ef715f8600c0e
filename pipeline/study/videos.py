"""The results in an output folder; ``videos.csv`` and ``people.csv`` of them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import pandas

from configs.errors import SourceError
from configs.load import with_changes
from configs.schema import Settings
from models.emotions import EMOTIONS
from pipeline.places import TABLE, folders_with_summaries, name_in
from pipeline.results.person import Names, with_names
from pipeline.results.renew import result_in
from pipeline.results.summary import Provenance, Summary, read_summary
from pipeline.results.timeline import FURTHER, Timeline, read_table, timeline_of
from pipeline.results.video_result import VideoResult
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


def person_columns(study: Study, further: Sequence[TimelineColumn]) -> tuple[Column, ...]:
    """Those of ``people.csv``, but for what is told of participants.

    Args:
        further: as ``further_in`` returns: summaries tell of the networks' columns in it.
    """
    compared = BASELINES if study.baselines is not None else ()
    networks = [column for column in further if column.network]
    return (*PERSON_COLUMNS, *compared, *means_of(networks))


def tables_of(
    videos: Iterable[Video], study: Study
) -> tuple[pandas.DataFrame, pandas.DataFrame, list[str]]:
    """Both tables, with what is told of participants.

    Args:
        study: what a user told.

    Returns:
        ``videos``, ``people``, and what is wrong with tables that cannot be read; people of these
        are left out.
    """
    rows, people, problems = [], [], []
    videos = list(videos)
    for video in videos:
        try:
            usable, persons = _figures(video, study)
        except SourceError as error:
            problems.append(str(error))
            usable, persons = None, []
        people += [_person(video, person, study) for person in persons]
        rows.append(_video(video, usable, len(persons)))
    return (
        study.join(table_of(rows, VIDEO_COLUMNS)),
        study.join(table_of(people, person_columns(study, further_in(videos)))),
        problems,
    )


def write_people(out: Path, videos: Iterable[Video], study: Study) -> list[str]:
    """Write both tables into an output folder; returns problems, as ``tables_of``.

    Raises:
        OutputError: one cannot be written.
    """
    videos = list(videos)
    of_videos, people, problems = tables_of(videos, study)
    own = person_columns(study, further_in(videos))
    write_table(of_videos, out / VIDEOS, (*VIDEO_COLUMNS, *study.columns(of_videos)))
    write_table(people, out / PEOPLE, (*own, *study.columns(people)))
    return problems


def _figures(video: Video, study: Study) -> tuple[float | None, list[dict[str, Any]]]:
    """Share of usable frames, and the figures of each person.

    The summary has them, but for names that join tracks.
    """
    if not video.has_table:
        return None, []
    persons = list(video.summary.people)
    if names := study.names_of(video):
        persons = [asdict(person) for person in video.read(names).people]
    if study.main_person:
        persons = sorted(persons, key=lambda person: -person["face_s"])[:1]
    return video.summary.usable_share, persons


def _video(video: Video, usable: float | None, people: int) -> dict[str, Any]:
    summary = video.summary
    row = {"video": video.name, "status": summary.status, "reason": summary.reason}
    if not video.has_table:
        return row
    return row | {
        "duration_s": summary.duration_s,
        "frames": summary.frames,
        "usable_share": usable,
        "people": people,
        "segments": "by hand" if summary.by_hand else "by the program",
    }


def _person(video: Video, figures: dict[str, Any], study: Study) -> dict[str, Any]:
    changes = sum(figures["transitions"].values())
    face_s = figures["face_s"]
    return {
        "video": video.name,
        **{name: figures[name] for name in ("track", "first_s", "last_s", "face_s")},
        **{name: figures[name] for name in ("usable_share", "confidence")},
        "name": study.names_of(video).get(figures["track"]),
        **{f"mean_{name}": mean for name, mean in figures["means"].items()},
        "mean_valence": figures["valence"],
        **{f"mean_{name}": mean for name, mean in figures["outputs"].items()},
        **{f"share_{name}": share for name, share in figures["shares"].items()},
        "changes": changes,
        "changes_per_min": changes / face_s * 60 if face_s else None,
        **study.baselines_of(video).get(figures["track"], {}),
    }
