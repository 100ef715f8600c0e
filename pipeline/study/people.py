"""``videos.csv`` and ``people.csv``: a row for each video, and for each person in it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pandas

from configs.errors import SourceError
from models.emotions import EMOTIONS
from pipeline.results.people import usable_share
from pipeline.study.study import Study, read_study
from pipeline.study.videos import Video, videos_in
from pipeline.study.write import write_table

VIDEOS, PEOPLE = "videos.csv", "people.csv"

WHOLE_NUMBERS = ("frames", "people", "track", "changes")

VIDEO_COLUMNS = (
    "video", "status", "reason", "duration_s", "frames", "usable_share", "people", "segments"
)  # fmt: skip
PERSON_COLUMNS = (
    "video", "track", "name", "first_s", "last_s", "face_s", "usable_share", "confidence",
    *(f"mean_{name}" for name in EMOTIONS), "mean_valence",
    *(f"share_{name}" for name in EMOTIONS), "changes", "changes_per_min",
)  # fmt: skip


def write_people(out: Path, videos: Iterable[Video], study: Study) -> list[str]:
    """Write both tables into an output folder.

    Args:
        study: what a user told.

    Returns:
        What is wrong with tables that cannot be read; people of these are left out.

    Raises:
        OutputError: one cannot be written.
    """
    rows, people, problems = [], [], []
    for video in videos:
        try:
            usable, persons = _figures(video, study)
        except SourceError as error:
            problems.append(str(error))
            usable, persons = None, []
        people += [_person(video, person, study) for person in persons]
        rows.append(_video(video, usable, len(persons)))
    for name, columns, table in ((VIDEOS, VIDEO_COLUMNS, rows), (PEOPLE, PERSON_COLUMNS, people)):
        frame = pandas.DataFrame(table, columns=list(columns))
        whole = [column for column in WHOLE_NUMBERS if column in columns]
        frame[whole] = frame[whole].astype("Int64")
        write_table(study.join(frame), out / name)
    return problems


def keep_up_to_date(out: Path) -> None:
    """Write both tables over all results that are in an output folder now.

    Raises:
        OutputError: one cannot be written.
    """
    write_people(out, videos_in(out), read_study(out))


def _figures(video: Video, study: Study) -> tuple[float | None, list[dict[str, Any]]]:
    """Share of usable frames, and the figures of each person.

    The summary has them, but for names that join tracks and for early versions.
    """
    usable, persons = video.summary.usable_share, list(video.summary.people)
    names = study.names_of(video)
    if video.has_table and usable is None:
        usable = usable_share(video.read().timeline)
    if video.has_table and (names or any("means" not in person for person in persons)):
        persons = [asdict(person) for person in video.read(names).people]
    if study.main_person:
        persons = sorted(persons, key=lambda person: -person["face_s"])[:1]
    return usable, persons


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
        **figures,
        "name": study.names_of(video).get(figures["track"]),
        **{f"mean_{name}": mean for name, mean in figures["means"].items()},
        "mean_valence": figures["valence"],
        **{f"share_{name}": share for name, share in figures["shares"].items()},
        "changes": changes,
        "changes_per_min": changes / face_s * 60 if face_s else None,
    }
