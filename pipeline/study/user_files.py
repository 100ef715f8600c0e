"""Read a user's annotations: names of people, participants and events, in a table each."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas

from configs.errors import UsageError
from pipeline.sources import Event
from pipeline.study.figures import Faces
from pipeline.study.study_columns import write_table
from pipeline.study.user_table import UserTable, further_columns
from pipeline.study.videos import Video

OF_NAMES = ("video", "track", "name")


def read_names(path: Path, videos: Sequence[Video]) -> dict[str, dict[int, str]]:
    """Names by video and track, from a table with ``OF_NAMES``; others are not looked at.

    Raises:
        UserTableError: it cannot be read, or names a video or track that there is not.
    """
    table = UserTable(path, OF_NAMES)
    tracks = {video.name: video.tracks for video in videos}
    table.check_known("video", tracks, "video in the output folder")
    table.check_unique("video", "track")
    names: dict[str, dict[int, str]] = {}
    for line, video, track, name in table.rows[list(OF_NAMES)].itertuples():
        there = tracks.get(video, [])
        if track.isdecimal() and int(track) in there:
            names.setdefault(video, {})[int(track)] = one_line(name)
        elif video in tracks:
            known = ", ".join(map(str, there)) or "nobody"
            table.wrong(
                line, f"{video} has no track {track!r}, it has {known}; correct it or take the "
                "line out"
            )  # fmt: skip
    table.refuse_if_wrong()
    return names


def one_line(name: str) -> str:
    """A name without line feeds and repeated spaces, as it stands in captions and tables."""
    return " ".join(name.split())


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
    columns = [*OF_NAMES, "first_s", "last_s", "face_s"]
    write_table(pandas.DataFrame(rows, columns=columns), (), path)


OF_PARTICIPANTS = ("video", "participant", "condition")
BIDS_NAMES = {"participant_id": "participant"}


@dataclass(frozen=True)
class Participants:
    """A user's annotations of the people in videos.

    Attributes:
        rows: ``video``, perhaps ``name``, then the columns that join other tables, all text.
    """

    rows: pandas.DataFrame

    @property
    def keys(self) -> list[str]:
        return [name for name in ("video", "name") if name in self.rows]

    @property
    def columns(self) -> list[str]:
        """Those that join other tables."""
        return [name for name in self.rows if name not in self.keys]

    def join(self, table: pandas.DataFrame) -> pandas.DataFrame:
        """A table with these columns at its end, empty for people without any.

        A table without people, such as that of videos, is left as it is by participants by name.
        """
        if not set(self.keys) <= set(table):
            return table
        return table.merge(self.rows.astype("string"), how="left", on=self.keys)


def read_participants(
    path: Path, videos: Sequence[Video], named: Collection[str], taken: Collection[str]
) -> Participants:
    """Read a table with ``OF_PARTICIPANTS``, perhaps also ``name`` where a video shows several.

    Args:
        named: names of people.
        taken: names of columns in the tables that these join.

    Raises:
        UserTableError: it cannot be read, or names a video or person that there is not.
    """
    table = UserTable(path, OF_PARTICIPANTS, BIDS_NAMES)
    by_name = "name" in table.rows
    table.check_known("video", [video.name for video in videos], "video in the output folder")
    if by_name:
        table.rows["name"] = table.rows["name"].map(one_line)
        table.check_known("name", named, "name in the file of --names")
    keys = ["video", "name"] if by_name else ["video"]
    table.check_unique(*keys)
    for column in ("participant", "condition"):
        for line, value in table.rows[column].items():
            if not value:
                table.wrong(line, f"no {column}; give one or take the line out")
    added = further_columns(table, keys, taken)
    return Participants(table.rows[keys].join(added).reset_index(drop=True))


OF_EVENTS = ("video", "event", "start_s", "end_s")
OFFSET = "offset_s"


@dataclass(frozen=True)
class Events:
    """Events in videos, on the clocks of these.

    Attributes:
        rows: ``OF_EVENTS``, then the columns that a user added.
        further: names of these.
    """

    rows: pandas.DataFrame
    further: tuple[str, ...]

    @property
    def by_video(self) -> dict[str, list[Event]]:
        """Name, beginning and end of each, in the order of time."""
        ordered = self.rows.sort_values(["start_s", "end_s"], kind="stable")
        return {
            str(video): list(own[["event", "start_s", "end_s"]].itertuples(index=False, name=None))
            for video, own in ordered.groupby("video")
        }

    def of(self, faces: Faces) -> pandas.DataFrame:
        """Those of these films, with ``film``, its number."""
        numbers = {film.video: number for number, film in enumerate(faces.films)}
        own = self.rows[self.rows["video"].isin(numbers)]
        return own.assign(film=own["video"].map(numbers).astype(int))


def read_events(
    path: Path, videos: Sequence[Video], taken: Collection[str], warn: Callable[[str], None]
) -> Events:
    """Read a table with ``OF_EVENTS``.

    ``offset_s`` in it is added to both times: how far another device's clock is behind the video's.

    Args:
        taken: names that no further column may have.
        warn: hears of events that are partly outside of their video, and of videos without tables.

    Raises:
        UserTableError: it cannot be read; an event is of a video that there is not, is outside of
            it, overlaps another, or has wrong times.
    """
    table = UserTable(path, OF_EVENTS)
    times = pandas.DataFrame({name: table.numbers(name) for name in ("start_s", "end_s")})
    if OFFSET in table.rows:
        table.rows[OFFSET] = table.rows[OFFSET].replace("", "0")
        times = times.add(table.numbers(OFFSET), axis=0)
    table.check_known("video", [video.name for video in videos], "video in the output folder")
    for line, name in table.rows["event"].items():
        if not name:
            table.wrong(line, "no event; name it")
    warnings = _check_times(table, times.dropna(), {video.name: video for video in videos})
    _check_overlaps(table, times)
    table.refuse_if_wrong()
    added = further_columns(table, OF_EVENTS, taken)
    rows = table.rows[list(OF_EVENTS)].assign(**times).join(added)
    without = rows["video"].isin([video.name for video in videos if not video.has_table])
    for name in rows["video"][without].unique():
        warnings.append(f"{path}: {name} has no table: its events are left out")
    for warning in warnings:
        warn(warning)
    return Events(rows[~without].reset_index(drop=True), tuple(added))


def _check_times(
    table: UserTable, times: pandas.DataFrame, videos: Mapping[str, Video]
) -> list[str]:
    """Report events outside of their videos; returns warnings of those that partly are."""
    warnings = []
    for line, start_s, end_s in times.itertuples():
        video = videos.get(table.rows.at[line, "video"])
        if end_s <= start_s:
            table.wrong(line, f"end_s is not after start_s ({start_s:g} to {end_s:g} s); exchange "
                        "or correct them")  # fmt: skip
        elif video is not None and video.has_table:
            first_s = video.begins_s
            last_s = first_s + video.summary.duration_s
            at = (
                f"the event is at {start_s:g} to {end_s:g} s, {video.name} is analysed from "
                f"{first_s:g} to {last_s:.2f} s"
            )
            if end_s <= first_s or start_s > last_s + _frame_s(video):
                table.wrong(line, f"{at}; correct the times, or give {OFFSET}")
            elif start_s < first_s or end_s > last_s + 2 * _frame_s(video):
                warnings.append(
                    f"{table.path}: line {line}: {at}; the figures are of the part within it"
                )
    return warnings


def _frame_s(video: Video) -> float:
    """How long a frame of its table usually lasts."""
    return video.summary.duration_s / max(1, video.summary.frames - 1)


def _check_overlaps(table: UserTable, times: pandas.DataFrame) -> None:
    """Report each event that begins before an earlier one of its video has ended."""
    for _, lines in table.rows.groupby("video").groups.items():
        own = times.loc[lines].dropna().sort_values("start_s", kind="stable")
        latest: int | None = None
        for line, start_s, end_s in own.itertuples():
            if latest is not None and start_s < own.at[latest, "end_s"]:
                first, second = sorted((latest, line))
                table.wrong(
                    second, f"the event, {_span(own, second)}, overlaps that of line {first}, "
                    f"{_span(own, first)}; correct the times, or give one of them in another file, "
                    "to an export of its own"
                )  # fmt: skip
            if latest is None or end_s > own.at[latest, "end_s"]:
                latest = line


def _span(times: pandas.DataFrame, line: int) -> str:
    return f"{times.at[line, 'start_s']:g} to {times.at[line, 'end_s']:g} s"
