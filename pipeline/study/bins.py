"""``bins.csv``: figures of each person at a fixed rate, all videos on one grid."""

from __future__ import annotations

import numpy as np
import pandas

from pipeline.results.codebook import Column
from pipeline.results.timeline import NOBODY
from pipeline.study import columns
from pipeline.study.faces import Faces, figures

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
    """A row for each person of a video and each bin from its first frame to its last.

    Bins begin at whole multiples of their width. The first and the last may lie partly beyond the
    film: their shares are of the part within it.

    Returns:
        ``COLUMNS``, and those of baselines where faces have them; without people, one row a bin.
    """
    first = int(np.floor(_bins(faces.begins_s, width_s)))
    last = max(int(np.ceil(_bins(faces.ends_s, width_s))), first + 1)
    edges_s = np.arange(first, last + 1) * width_s
    within_s = np.diff(np.clip(edges_s, faces.begins_s, faces.ends_s))
    bins = np.arange(first, last)
    index = pandas.MultiIndex.from_product([faces.tracks or [NOBODY], bins], names=["track", "bin"])
    lengths_s = pandas.Series(np.tile(within_s, len(faces.tracks) or 1), index)
    table = figures(_pieces(faces.rows, width_s), ["track", "bin"], lengths_s).reset_index()
    table["start_s"] = table.pop("bin") * width_s
    return faces.table_of(table)


def _pieces(rows: pandas.DataFrame, width_s: float) -> pandas.DataFrame:
    """The rows, divided where bins begin."""
    first = np.floor(_bins(rows["start_s"].to_numpy(), width_s)).astype(np.int64)
    last = np.ceil(_bins(rows["until_s"].to_numpy(), width_s)).astype(np.int64)
    parts = np.maximum(last - first, 1)
    pieces = rows.loc[rows.index.repeat(parts)].reset_index(drop=True)
    into = np.arange(len(pieces)) - np.repeat(np.cumsum(parts) - parts, parts)
    number = np.repeat(first, parts) + into
    start_s = np.maximum(pieces["start_s"], number * width_s)
    until_s = np.minimum(pieces["until_s"], (number + 1) * width_s)
    return pieces.assign(bin=number, seen_s=np.maximum(until_s - start_s, 0.0))


def _bins(at_s: np.ndarray | float, width_s: float) -> np.ndarray:
    """Times in bins, without the last digits: three tenths are three bins of 0.1 s, not 2.99..."""
    return np.round(np.asarray(at_s) / width_s, 6)
