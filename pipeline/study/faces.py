"""The faces of one video as rows, and figures over stretches of time."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas

from configs.errors import SourceError
from models.emotions import EMOTIONS, valence_of
from pipeline.results.named import Names
from pipeline.results.timeline import NOBODY, Timeline
from pipeline.study.columns import MEASURES
from pipeline.study.study import Study
from pipeline.study.videos import Video

USUAL_FRAME_S = 0.04
"""How long the only frame of a film counts."""


@dataclass(frozen=True)
class Faces:
    """Everyone seen in one video, under the names that a user gave.

    Attributes:
        rows: a row for each face of each frame, by time: ``track``, ``start_s``, ``until_s``,
            ``usable``, ``MEASURES`` and, once they are compared with a neutral face,
            ``BASELINE_MEASURES``. Its index is unique.
        tracks: of everyone, in order.
        names: of those who have one.
        begins_s, ends_s: of the film, in seconds from its first frame.
    """

    video: str
    rows: pandas.DataFrame
    tracks: list[int]
    names: Names
    begins_s: float
    ends_s: float

    def within(self, start_s: float, end_s: float) -> pandas.DataFrame:
        """The rows seen in a stretch of time, with ``seen_s``: for how long."""
        first = np.searchsorted(self.rows["until_s"], start_s, side="right")
        last = np.searchsorted(self.rows["start_s"], end_s, side="left")
        rows = self.rows.iloc[first:last]
        until_s = np.minimum(rows["until_s"], end_s)
        return rows.assign(seen_s=until_s - np.maximum(rows["start_s"], start_s))

    def whole(self) -> pandas.DataFrame:
        """Figures of each person over the whole film, by ``track``."""
        rows = self.rows.assign(seen_s=self.rows["until_s"] - self.rows["start_s"])
        lengths_s = pandas.Series(
            self.ends_s - self.begins_s, pandas.Index(self.tracks, name="track", dtype="int64")
        )
        return figures(rows, ["track"], lengths_s).reset_index()

    def table_of(self, figures: pandas.DataFrame) -> pandas.DataFrame:
        """Figures by ``track`` with the video and the names of people."""
        tracks = figures["track"].where(figures["track"] != NOBODY).astype("Int64")
        names = figures["track"].map(lambda track: self.names.get(track) or None)
        return figures.assign(video=self.video, track=tracks, name=names.astype(object))


def faces_of(video: Video, study: Study) -> Faces:
    """The faces of a video.

    Raises:
        SourceError: its table cannot be read.
    """
    names = study.names_of(video)
    timeline = video.timeline(names)
    if not len(timeline):
        raise SourceError(f"{video.folder}: no frame in its table; analyse it again with --redo")
    until_s = timeline.until_s
    if until_s[-1] == timeline.time_s[0]:
        until_s = until_s + USUAL_FRAME_S
    rows = pandas.DataFrame(
        {
            "track": timeline.track,
            "start_s": timeline.time_s,
            "until_s": until_s,
            "usable": timeline.usable,
            **dict(zip(EMOTIONS, timeline.probabilities.T.astype(np.float64), strict=True)),
            "valence": valence_of(timeline.probabilities.astype(np.float64)),
        }
    )
    begins_s, ends_s = float(timeline.time_s[0]), float(until_s[-1])
    tracks = _longest(timeline) if study.main_person else timeline.people
    rows = rows[rows["track"].isin(tracks) & (rows["track"] != NOBODY)]
    return Faces(video.name, rows, tracks, names, begins_s, ends_s)


def _longest(timeline: Timeline) -> list[int]:
    """The person who is seen longest."""
    seen_s = {
        track: float((timeline.until_s[rows] - timeline.time_s[rows]).sum())
        for track in timeline.people
        for rows in [timeline.rows_of(track)]
    }
    return sorted(seen_s, key=lambda track: -seen_s[track])[:1]


def figures(pieces: pandas.DataFrame, by: list[str], lengths_s: pandas.Series) -> pandas.DataFrame:
    """Shares, means and maxima of rows over stretches of time.

    Every frame counts for as long as it is shown within the stretch; means and maxima are over
    usable rows.

    Args:
        pieces: rows with ``seen_s`` and the columns ``by``, which say what they belong to.
        lengths_s: length of each stretch in seconds, by ``by``: its index is that of the result.

    Returns:
        ``seen_share``, ``usable_share``, ``usable_s``, ``mean_...``, ``max_...`` and, where there
        are any, ``baseline_...``; NaN where nobody was seen, or nobody usable.
    """
    measures = [name for name in pieces if name.removeprefix("baseline_") in MEASURES]
    usable = pieces[pieces["usable"] & (pieces["seen_s"] > 0)]
    seen_s = pieces.groupby(by)["seen_s"].sum()
    usable_s = usable.groupby(by)["seen_s"].sum()
    weighted = usable[measures].mul(usable["seen_s"], axis=0)
    keys = [usable[name] for name in by]
    means = weighted.groupby(keys).sum().div(usable_s, axis=0)
    means.columns = [name if name.startswith("baseline_") else f"mean_{name}" for name in measures]
    maxima = usable.groupby(by)[list(MEASURES)].max().add_prefix("max_")
    seen_s = seen_s.reindex(lengths_s.index, fill_value=0.0)
    usable_s = usable_s.reindex(lengths_s.index, fill_value=0.0)
    shares = pandas.DataFrame(
        {
            "seen_share": seen_s / lengths_s,
            "usable_share": usable_s / seen_s,
            "usable_s": usable_s,
        }
    )
    return shares.join([means.reindex(lengths_s.index), maxima.reindex(lengths_s.index)])
