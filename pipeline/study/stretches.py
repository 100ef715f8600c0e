"""``bins.csv`` and ``events.csv``: figures of people, at a fixed rate and during each event."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import product

import numpy as np
import pandas
from numpy.typing import NDArray

from pipeline.study.figures import Faces, Film, figures, usable_rows
from pipeline.study.study_columns import (
    BASELINES,
    EMPTY,
    MEASURED,
    NAME,
    SEEN,
    TRACK,
    USABLE,
    VIDEO,
    maxima_of,
    means_of,
)
from pipeline.study.user_files import Events
from stages.columns import Column, TimelineColumn

BINS = "bins.csv"

BIN_COLUMNS = (
    VIDEO,
    TRACK,
    NAME,
    Column("start_s", "When the bin begins, from the first frame of the video.", "s"),
    SEEN,
    USABLE,
    *means_of(MEASURED),
    *maxima_of(MEASURED),
)


def bins_of(faces: Faces, width_s: float) -> pandas.DataFrame:
    """A row for each person of a film and each bin from its first frame to its last.

    Bins begin at whole multiples of their width. The first and the last may lie partly beyond the
    film: their shares are of the part within it.

    Returns:
        ``bin_columns``; without people, one row a bin.
    """
    by = ["film", "track", "bin"]
    lengths_s = pandas.Series(
        {
            (number, track, first): length_s
            for number, film in enumerate(faces.films)
            for track, (first, length_s) in product(film.shown, _grid(film, width_s))
        }
    )
    lengths_s.index.names = by
    table = figures(_pieces(faces.rows, width_s), by, lengths_s, faces.measures).reset_index()
    table["start_s"] = table.pop("bin") * width_s
    return faces.table_of(table)


def _grid(film: Film, width_s: float) -> list[tuple[int, float]]:
    """Number of each bin, and how much of it is within the film, in seconds."""
    first = int(np.floor(_bins(film.begins_s, width_s)))
    last = max(int(np.ceil(_bins(film.ends_s, width_s))), first + 1)
    edges_s = np.arange(first, last + 1) * width_s
    within_s = np.diff(np.clip(edges_s, film.begins_s, film.ends_s))
    return list(zip(range(first, last), within_s.tolist(), strict=True))


def _pieces(rows: pandas.DataFrame, width_s: float) -> pandas.DataFrame:
    """The rows, divided where bins begin."""
    start_s, until_s = (rows[name].to_numpy() for name in ("start_s", "until_s"))
    first = np.floor(_bins(start_s, width_s)).astype(np.int64)
    last = np.ceil(_bins(until_s, width_s)).astype(np.int64)
    parts = np.maximum(last - first, 1)
    row = np.repeat(np.arange(len(rows)), parts)
    number = first[row] + np.arange(len(row)) - np.repeat(np.cumsum(parts) - parts, parts)
    seen_s = np.minimum(until_s[row], (number + 1) * width_s) - np.maximum(
        start_s[row], number * width_s
    )
    pieces = rows.iloc[row].reset_index(drop=True)
    return pieces.assign(bin=number, seen_s=np.maximum(seen_s, 0.0))


def _bins(at_s: NDArray[np.float64] | float, width_s: float) -> NDArray[np.float64]:
    """Times in bins, without the last digits: three tenths are three bins of 0.1 s, not 2.99..."""
    return np.round(np.asarray(at_s) / width_s, 6)


EVENTS = "events.csv"


def _peaks_of(columns: Iterable[TimelineColumn]) -> list[Column]:
    since = "Time from the event's beginning to the largest"
    return [
        Column(f"peak_{column.name}_s", f"{since} {column.mean_of}. {EMPTY}", "s")
        for column in columns
    ]


EVENT_COLUMNS = (
    VIDEO,
    Column("event", "Name of the event.", type="string"),
    Column("start_s", "When it begins, from the first frame of the video; offset_s is added.", "s"),
    Column("end_s", "When it ends, likewise.", "s"),
    TRACK,
    NAME,
    SEEN,
    USABLE,
    *means_of(MEASURED),
    *maxima_of(MEASURED),
    *_peaks_of(MEASURED),
)


def event_columns(further: Sequence[TimelineColumn], compared: bool) -> list[Column]:
    """Those of ``events.csv`` but for a user's own.

    Args:
        further: columns beyond the seven expressions and valence.
        compared: whether people are compared with their own neutral faces.
    """
    return [*_with_further(EVENT_COLUMNS, further, compared), *_peaks_of(further)]


def bin_columns(further: Sequence[TimelineColumn], compared: bool) -> list[Column]:
    """Those of ``bins.csv``, likewise."""
    return _with_further(BIN_COLUMNS, further, compared)


def _with_further(
    own: Iterable[Column], further: Sequence[TimelineColumn], compared: bool
) -> list[Column]:
    return [*own, *(BASELINES if compared else ()), *means_of(further), *maxima_of(further, "over")]


def events_of(faces: Faces, events: Events) -> pandas.DataFrame:
    """A row for each event of the films and each person in its film.

    Returns:
        ``event_columns`` and those that a user added; without people, one row an event.
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
