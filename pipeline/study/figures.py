"""The faces of videos as rows, and figures of them over stretches of time."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas
from numpy.typing import NDArray

from configs.errors import SourceError
from models.emotions import EMOTIONS, valence_of
from pipeline.results.person import Names
from pipeline.study.annotations import Study
from pipeline.study.study_columns import MEASURES
from pipeline.study.videos import Video
from stages.batch import NOBODY

USUAL_FRAME_S = 0.04
"""How long the only frame of a film counts."""

MAX_ROWS = 100_000
"""Of films that are looked at together: bounds memory, and spares most of pandas's overhead."""


@dataclass(frozen=True)
class Film:
    """One video, and who is in it.

    Attributes:
        tracks: of everyone, in order.
        names: of those who have one.
        begins_s, ends_s: in seconds from the first frame.
    """

    video: str
    tracks: Sequence[int]
    names: Names
    begins_s: float
    ends_s: float

    @property
    def length_s(self) -> float:
        return self.ends_s - self.begins_s

    @property
    def shown(self) -> Sequence[int]:
        """The tracks that have rows in tables: ``NOBODY`` in a film without people."""
        return self.tracks or [NOBODY]


@dataclass(frozen=True)
class Faces:
    """Everyone seen in some films, under the names that a user gave.

    Attributes:
        rows: a row for each face of each frame, by film and time: ``film``, its number in
            ``films``, ``track``, ``start_s``, ``until_s``, ``usable``, ``measures`` and, once they
            are compared with neutral faces, ``BASELINE_MEASURES``.
        further: measures beyond ``MEASURES``; NaN in films without them.
    """

    films: Sequence[Film]
    rows: pandas.DataFrame
    further: Sequence[str] = ()

    @property
    def measures(self) -> list[str]:
        return [*MEASURES, *self.further]

    @cached_property
    def _first_rows(self) -> NDArray[np.int64]:
        return np.searchsorted(self.rows["film"], np.arange(len(self.films) + 1))

    def within(self, stretches: pandas.DataFrame) -> pandas.DataFrame:
        """The rows seen in stretches of time.

        Args:
            stretches: ``film``, ``start_s`` and ``end_s`` of each.

        Returns:
            The rows of each stretch, with its index in ``stretch``, and ``seen_s``: for how long.
        """
        starts_s, until_s = (self.rows[name].to_numpy() for name in ("start_s", "until_s"))
        parts = []
        for film, start_s, end_s in stretches[["film", "start_s", "end_s"]].itertuples(index=False):
            own = slice(*self._first_rows[[film, film + 1]])
            first = own.start + np.searchsorted(until_s[own], start_s, side="right")
            last = own.start + np.searchsorted(starts_s[own], end_s, side="left")
            parts.append(np.arange(first, max(first, last)))
        counts = [len(part) for part in parts]
        rows = self.rows.iloc[np.concatenate(parts) if parts else []]
        from_s, to_s = (
            np.repeat(stretches[name].to_numpy(), counts) for name in ("start_s", "end_s")
        )
        seen_s = np.minimum(rows["until_s"], to_s) - np.maximum(rows["start_s"], from_s)
        stretch = np.repeat(stretches.index, counts)
        return rows.assign(stretch=stretch, seen_s=seen_s).reset_index(drop=True)

    def whole(self) -> pandas.DataFrame:
        """Figures of each person over the whole film, by ``film`` and ``track``."""
        lengths_s = pandas.Series(
            {(number, track): film.length_s for number, film in enumerate(self.films)
             for track in film.shown}
        )  # fmt: skip
        lengths_s.index.names = ["film", "track"]
        rows = self.rows.assign(seen_s=self.rows["until_s"] - self.rows["start_s"])
        return figures(rows, ["film", "track"], lengths_s, self.measures).reset_index()

    def table_of(self, figures: pandas.DataFrame) -> pandas.DataFrame:
        """Figures by ``film`` and ``track``, with the videos and the names of people."""
        videos = np.array([film.video for film in self.films], object)[figures["film"]]
        named = {
            (number, track): name
            for number, film in enumerate(self.films)
            for track, name in film.names.items()
            if name
        }
        people = zip(figures["film"], figures["track"], strict=True)
        tracks = figures["track"].where(figures["track"] != NOBODY).astype("Int64")
        names = pandas.array([named.get(person) for person in people], dtype="string")
        return figures.drop(columns="film").assign(video=videos, track=tracks, name=names)


def faces_of(
    videos: Iterable[Video], study: Study, problems: list[str], further: Sequence[str] = ()
) -> Iterator[Faces]:
    """The faces of videos, of as many together as have ``MAX_ROWS``.

    Args:
        study: the user's annotations.
        problems: grows by what is wrong with tables that cannot be read; these are left out.
        further: measures beyond ``MEASURES`` that are looked at, too.
    """
    films: list[Film] = []
    rows: list[dict[str, np.ndarray]] = []
    count = 0
    for video in videos:
        try:
            film, own = _film(video, study, further)
        except SourceError as error:
            problems.append(str(error))
            continue
        own["film"] = np.full(len(own["track"]), len(films))
        films.append(film)
        rows.append(own)
        count += len(own["track"])
        if count >= MAX_ROWS:
            yield _together(films, rows, further)
            films, rows, count = [], [], 0
    if films:
        yield _together(films, rows, further)


def _together(
    films: Sequence[Film], rows: Sequence[dict[str, np.ndarray]], further: Sequence[str]
) -> Faces:
    columns = {name: np.concatenate([own[name] for own in rows]) for name in rows[0]}
    return Faces(films, pandas.DataFrame(columns), further)


def _film(video: Video, study: Study, further: Sequence[str]) -> tuple[Film, dict[str, np.ndarray]]:
    names = study.names_of(video)
    timeline = video.timeline(names)
    if not len(timeline):
        raise SourceError(f"{video.folder}: no frame in its table; analyse it again with --redo")
    until_s = timeline.until_s
    if until_s[-1] == timeline.time_s[0]:
        until_s = until_s + USUAL_FRAME_S
    tracks = timeline.people
    if study.main_person:  # Who is seen longest.
        lasts_s = until_s - timeline.time_s
        tracks = sorted(tracks, key=lambda track: -lasts_s[timeline.rows_of(track)].sum())[:1]
    chosen = np.isin(timeline.track, tracks)
    probabilities = timeline.probabilities[chosen].astype(np.float64)
    known, nothing = {**timeline.outputs, **timeline.further}, np.full(len(timeline), np.nan)
    film = Film(video.name, tracks, names, float(timeline.time_s[0]), float(until_s[-1]))
    return film, {
        "track": timeline.track[chosen],
        "start_s": timeline.time_s[chosen],
        "until_s": until_s[chosen],
        "usable": timeline.usable[chosen],
        **dict(zip(EMOTIONS, probabilities.T, strict=True)),
        "valence": valence_of(probabilities),
        **{name: known.get(name, nothing)[chosen].astype(np.float64) for name in further},
    }


def figures(
    pieces: pandas.DataFrame,
    by: list[str],
    lengths_s: pandas.Series,
    measures: Sequence[str] = MEASURES,
) -> pandas.DataFrame:
    """Shares, means and maxima of rows over stretches of time.

    Every frame counts for as long as it is shown within the stretch; means and maxima are over
    usable rows.

    Args:
        pieces: rows with ``seen_s`` and the columns ``by``, which say what they belong to.
        lengths_s: length of each stretch in seconds, by ``by``: its index is that of the result.
        measures: what means and maxima are of.

    Returns:
        ``seen_share``, ``usable_share``, ``usable_s``, ``mean_...``, ``max_...`` and, where there
        are any, ``baseline_...``; NaN where nobody was seen, or nobody usable.
    """
    averaged = [name for name in pieces if name.removeprefix("baseline_") in measures]
    usable = usable_rows(pieces)
    seen_s = pieces.groupby(by)["seen_s"].sum().reindex(lengths_s.index, fill_value=0.0)
    weighted = usable[averaged].mul(usable["seen_s"], axis=0).assign(usable_s=usable["seen_s"])
    sums = weighted.groupby([usable[name] for name in by]).sum(min_count=1)  # Not 0 of NaN.
    means = sums[averaged].div(sums["usable_s"], axis=0)
    means.columns = [name if name.startswith("baseline_") else f"mean_{name}" for name in averaged]
    maxima = usable.groupby(by)[list(measures)].max().add_prefix("max_")
    usable_s = sums["usable_s"].reindex(lengths_s.index, fill_value=0.0)
    shares = {
        "seen_share": seen_s / lengths_s,
        "usable_share": usable_s / seen_s,
        "usable_s": usable_s,
    }
    return pandas.concat(
        [pandas.DataFrame(shares), means.reindex(lengths_s.index), maxima.reindex(lengths_s.index)],
        axis=1,
    )


def usable_rows(pieces: pandas.DataFrame) -> pandas.DataFrame:
    """Those that means and maxima are over."""
    return pieces[pieces["usable"] & (pieces["seen_s"] > 0)]
