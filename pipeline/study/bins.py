"""``bins.csv``: figures of each person at a fixed rate, all videos on one grid."""

from __future__ import annotations

from itertools import product

import numpy as np
import pandas

from pipeline.study import columns
from pipeline.study.faces import Faces, Film, figures
from stages.columns import Column

BINS = "bins.csv"

COLUMNS = (
    columns.VIDEO,
    columns.TRACK,
    columns.NAME,
    Column("start_s", "When the bin begins, from the first frame of the video.", "s"),
    columns.SEEN,
    columns.USABLE,
    *columns.means(),
    *columns.maxima(),
)


def bins_of(faces: Faces, width_s: float) -> pandas.DataFrame:
    """A row for each person of a film and each bin from its first frame to its last.

    Bins begin at whole multiples of their width. The first and the last may lie partly beyond the
    film: their shares are of the part within it.

    Returns:
        ``COLUMNS``, those of baselines where faces have them, and those of networks; without
        people, one row a bin.
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


def _bins(at_s: np.ndarray | float, width_s: float) -> np.ndarray:
    """Times in bins, without the last digits: three tenths are three bins of 0.1 s, not 2.99..."""
    return np.round(np.asarray(at_s) / width_s, 6)
