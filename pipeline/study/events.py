"""``events.csv``: figures of each person during each event, such as a stimulus."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas

from pipeline.sources import Event
from pipeline.study import columns
from pipeline.study.columns import MEASURES
from pipeline.study.faces import Faces, figures, usable_rows
from pipeline.study.inputs import UserTable, further_columns
from pipeline.study.videos import Video
from stages.columns import Column, TimelineColumn

EVENTS = "events.csv"

REQUIRED = ("video", "event", "start_s", "end_s")
OFFSET = "offset_s"


def _peak(measure: str, words: str) -> Column:
    since = "Time from the event's beginning to the largest"
    return Column(f"peak_{measure}_s", f"{since} {words}. {columns.EMPTY}", "s")


COLUMNS = (
    columns.VIDEO,
    Column("event", "Name of the event.", type="string"),
    Column("start_s", "When it begins, from the first frame of the video; offset_s is added.", "s"),
    Column("end_s", "When it ends, likewise.", "s"),
    columns.TRACK,
    columns.NAME,
    columns.SEEN,
    columns.USABLE,
    *columns.means(),
    *columns.maxima(),
    *(_peak(name, columns.WORDS[name]) for name in MEASURES),
)


def further_columns_of(further: Sequence[TimelineColumn]) -> tuple[Column, ...]:
    """Those of columns beyond the seven expressions and valence."""
    peaks = (_peak(column.name, column.mean_of or "") for column in further)
    return (*columns.of_further(further), *peaks)


@dataclass(frozen=True)
class Events:
    """Events in videos, on the clocks of these.

    Attributes:
        rows: ``REQUIRED``, then the columns that a user added.
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
    """Read a table with ``REQUIRED``.

    ``offset_s`` in it is added to both times: how far another device's clock is behind the video's.

    Args:
        taken: names that no further column may have.
        warn: hears of events that are partly outside of their video, and of videos without tables.

    Raises:
        UserTableError: it cannot be read; an event is of a video that there is not, is outside of
            it, overlaps another, or has wrong times.
    """
    table = UserTable(path, REQUIRED)
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
    added = further_columns(table, REQUIRED, taken)
    rows = table.rows[list(REQUIRED)].assign(**times).join(added)
    without = rows["video"].isin([video.name for video in videos if not video.has_table])
    for name in rows["video"][without].unique():
        warnings.append(f"{path}: {name} has no table: its events are left out")
    for warning in warnings:
        warn(warning)
    return Events(rows[~without].reset_index(drop=True), tuple(added))


def _check_times(
    table: UserTable, times: pandas.DataFrame, videos: Mapping[str, Video]
) -> list[str]:
    """Tell events outside of their videos; returns warnings of those that partly are."""
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
    """Tell each event that begins before an earlier one of its video has ended."""
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


def events_of(faces: Faces, events: Events) -> pandas.DataFrame:
    """A row for each event of the films and each person in its film.

    Returns:
        ``COLUMNS``, those of baselines where faces have them, those of networks, and those that a
        user added; without people, one row an event.
    """
    own = events.of(faces)
    by = ["stretch", "track"]
    within_s = [
        max(0.0, min(end_s, faces.films[film].ends_s) - max(start_s, faces.films[film].begins_s))
        for film, start_s, end_s in own[["film", "start_s", "end_s"]].itertuples(index=False)
    ]
    shown = [
        (stretch, track, length_s)
        for stretch, film, length_s in zip(own.index, own["film"], within_s, strict=True)
        for track in faces.films[film].shown
    ]
    lengths_s = pandas.DataFrame(shown, columns=[*by, "length_s"]).set_index(by)["length_s"]
    pieces = faces.within(own)
    table = figures(pieces, by, lengths_s, faces.measures)
    usable = usable_rows(pieces)
    peaks = {
        name: usable.dropna(subset=[name]).groupby(by)[name].idxmax() for name in faces.measures
    }
    begins_s = own["start_s"].reindex(table.index.get_level_values("stretch")).to_numpy()
    for name in faces.measures:
        at_s = peaks[name].map(usable["start_s"]).reindex(table.index)
        table[f"peak_{name}_s"] = np.maximum(at_s - begins_s, 0.0)
    table = table.reset_index().merge(
        own.drop(columns="video"), left_on="stretch", right_index=True
    )
    return faces.table_of(table)
