"""Names of people: read from a user's file; a template of it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pandas

from configs.errors import UsageError
from pipeline.study.inputs import UserTable
from pipeline.study.videos import Video
from pipeline.study.write import write_table

COLUMNS = ("video", "track", "name")


def read_names(path: Path, videos: Sequence[Video]) -> dict[str, dict[int, str]]:
    """Names by video and track, from a table with ``COLUMNS``; others are not looked at.

    Raises:
        UserTableError: it cannot be read, or names a video or track that there is not.
    """
    table = UserTable(path, COLUMNS)
    tracks = {video.name: video.tracks for video in videos}
    table.check_known("video", tracks, "video in the output folder")
    table.check_unique("video", "track")
    names: dict[str, dict[int, str]] = {}
    for line, video, track, name in table.rows[list(COLUMNS)].itertuples():
        there = tracks.get(video, [])
        if track.isdecimal() and int(track) in there:
            names.setdefault(video, {})[int(track)] = name
        elif video in tracks:
            known = ", ".join(map(str, there)) or "nobody"
            table.wrong(
                line, f"{video} has no track {track!r}, it has {known}; correct it or take the "
                "line out"
            )  # fmt: skip
    table.refuse_if_wrong()
    return names


def write_template(path: Path, videos: Sequence[Video]) -> None:
    """Write a file of names to fill in, the people in the order of the time that they are seen.

    Everyone has a name of their own in it, so that it changes nothing before it is edited.

    Raises:
        UsageError: the file exists.
        OutputError: it cannot be written.
    """
    if path.exists():
        raise UsageError(f"{path}: exists; name another file for the template")
    rows = [
        (video.name, person["track"], f"{video.name} {person['track']}", person["first_s"],
         person["last_s"], person["face_s"])
        for video in videos
        for person in sorted(video.summary.people, key=lambda person: -person["face_s"])
    ]  # fmt: skip
    columns = [*COLUMNS, "first_s", "last_s", "face_s"]
    write_table(pandas.DataFrame(rows, columns=columns), path)
