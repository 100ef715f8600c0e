"""``videos.csv`` and ``people.csv``: a row for each video, and for each person in it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pandas

from configs.errors import SourceError
from models.emotions import EMOTIONS
from pipeline.study import columns
from pipeline.study.study import Study
from pipeline.study.videos import Video, further_in
from pipeline.study.write import table_of, write_table
from stages.columns import PROBABILITY, Column, TimelineColumn

VIDEOS, PEOPLE = "videos.csv", "people.csv"

VIDEO_COLUMNS = (
    columns.VIDEO,
    Column("status", "How the analysis ended.", None, "string",
           {"complete": "The whole video is in the tables.",
            "partial": "The video is damaged or the run was stopped; what could be decoded is in "
                       "the tables.",
            "failed": "There are no tables."}),
    Column("reason", "Why it is not complete; empty if it is.", type="string"),
    Column("duration_s", "Time from the first frame to the last. Empty, as all that follows, "
           "without tables.", "s"),
    Column("frames", "Number of frames.", type="integer"),
    Column("usable_share", "Share of the frames that have a usable face.", columns.SHARE),
    Column("people", "Number of people.", type="integer"),
    Column("segments", "Who made the segments.", None, "string",
           {"by the program": "They are found in the timeline.",
            "by hand": "A user corrected them in ELAN."}),
)  # fmt: skip

PERSON_COLUMNS = (
    columns.VIDEO,
    columns.TRACK,
    columns.NAME,
    Column("first_s", "When the face is first seen, from the first frame of the video.", "s"),
    Column("last_s", "When it is last seen.", "s"),
    Column("face_s", "Time that it is seen in all.", "s"),
    Column("usable_share", "Share of this time for which the face is usable: what follows is over "
           "this time, but for changes.", columns.SHARE),
    Column("confidence", f"Mean probability of the likeliest expression. {columns.EMPTY}",
           PROBABILITY),
    *columns.means(),
    *(
        Column(f"share_{name}", f"Share of time for which {name} is the likeliest expression, or, "
               f"where segments are by hand, is theirs. {columns.EMPTY}", columns.SHARE)
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
    compared = columns.baselines() if study.baselines is not None else ()
    networks = [column for column in further if column.network]
    return (*PERSON_COLUMNS, *compared, *columns.of_further(networks, ["mean"]))


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
