"""``synchrony.csv``: how far two people's expressions go together, perhaps with a lag.

Lagged correlation of the means in ``bins.csv`` (Boker et al., "Windowed cross-correlation and peak
picking", Psychological Methods 7, 2002, in one window). Surrogates show whether the largest is more
than chance: copies of the second series, shifted in time, whose end continues at the beginning. A
copy keeps its own course and loses its relation to the first series (Moulder, Boker, Ramseyer and
Tschacher, "Determining synchrony between behavioral time series: an application of surrogate data
generation", Psychological Methods 23, 2018). A copy that is shifted by no more than the longest lag
keeps the relation at another lag. It counts all the same, as p would be too small without it. So p
cannot be much smaller than the number of lags divided by the number of bins.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import combinations

import numpy as np
import pandas
from numpy.typing import NDArray

from pipeline.study.study_columns import MEASURES, NAME, TRACK, VIDEO
from stages.columns import Column

SYNCHRONY = "synchrony.csv"

LONGEST_LAG_S = 5.0
MAX_SURROGATES = 199
MIN_BINS = 10
"""That both must have, for a correlation."""

PAIR = "pair"
"""Column of participants that pairs videos: the main people of videos that share its value."""

COLUMNS = (
    Column("pair", "The video, for two people in one; otherwise the value of the participants' "
           "column pair, which two videos share.", type="string"),
    *(
        Column(f"{which}_{column.name}", f"Of the {which} person. {column.description}",
               type=column.type)
        for which in ("first", "second")
        for column in (VIDEO, TRACK, NAME)
    ),
    Column("measure", "Expression, or valence; or the column of a network.", type="string"),
    Column("lag_s", "Lag with the correlation furthest from 0: positive if the second person "
           "follows the first.", "s"),
    Column("r", "Pearson's correlation at this lag.", "-1 to 1"),
    Column("n", "Bins that it is over, in which both are seen and usable.", type="integer"),
    Column("p", "Share of surrogates, and of the pair itself, with a correlation at any lag at "
           "least as far from 0.", "0 to 1"),
)  # fmt: skip


def lagged_correlations(
    first: NDArray[np.float64], second: NDArray[np.float64], longest: int
) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Correlations of a series with others that come later, or earlier.

    Args:
        first: (n,), NaN where there is no value.
        second: (k, n), likewise.
        longest: largest lag, in bins.

    Returns:
        (k, 2 * longest + 1) float64 from lag ``-longest`` on, NaN with fewer than ``MIN_BINS``
        pairs of values or without variance; and the number of pairs, alike.
    """
    length = len(first)
    correlations = np.full((len(second), 2 * longest + 1), np.nan)
    counts = np.zeros(correlations.shape, np.int64)
    for column, lag in enumerate(range(-longest, longest + 1)):
        if abs(lag) >= length:
            continue
        x = first[max(0, -lag) : length - max(0, lag)]
        y = second[:, max(0, lag) : length - max(0, -lag)]
        both = np.isfinite(x) & np.isfinite(y)
        count = both.sum(axis=1)
        xs, ys = np.where(both, x, 0.0), np.where(both, y, 0.0)
        known = np.maximum(count, 1)
        xs = np.where(both, xs - (xs.sum(axis=1) / known)[:, None], 0.0)
        ys = np.where(both, ys - (ys.sum(axis=1) / known)[:, None], 0.0)
        spread = np.sqrt((xs**2).sum(axis=1) * (ys**2).sum(axis=1))
        usable = (count >= MIN_BINS) & (spread > 1e-12)
        product = (xs * ys).sum(axis=1)
        correlations[:, column] = np.where(usable, product / np.maximum(spread, 1e-12), np.nan)
        counts[:, column] = count
    return correlations, counts


def synchrony(
    first: NDArray[np.float64], second: NDArray[np.float64], longest: int
) -> tuple[int, float, int, float] | None:
    """The best lag in bins, its correlation, the number of bins, and p.

    Args:
        first, second: (n,), NaN where there is no value.

    Returns:
        None if no lag has enough bins.
    """
    (own,), (counts,) = lagged_correlations(first, second[None], longest)
    if np.isnan(own).all():
        return None
    best = int(np.nanargmax(np.abs(own)))
    surrogates, _ = lagged_correlations(first, _shifted(second), longest)
    known = np.abs(surrogates[~np.isnan(surrogates).all(axis=1)])
    at_least = np.count_nonzero((known >= abs(own[best]) - 1e-12).any(axis=1))
    p = (1 + at_least) / (1 + len(known))
    return best - longest, float(own[best]), int(counts[best]), float(p)


def _shifted(series: NDArray[np.float64]) -> NDArray[np.float64]:
    """The series shifted around its end, by evenly spread numbers of bins: (k, n)."""
    shifts = np.arange(1, len(series))
    if len(shifts) > MAX_SURROGATES:
        shifts = np.linspace(0, len(series), MAX_SURROGATES + 2)[1:-1].round().astype(int)
    shifted: NDArray[np.float64] = series[(np.arange(len(series)) - shifts[:, None]) % len(series)]
    return shifted


def synchrony_rows(
    bins: pandas.DataFrame, width_s: float, measures: Sequence[str] = MEASURES
) -> list[tuple[object, ...]]:
    """Rows of every two people in a video, and of the main people of videos that are a pair.

    Args:
        bins: ``bins.csv``, with the columns of participants.
        width_s: of the bins.
        measures: that bins have means of.
    """
    longest = max(1, round(LONGEST_LAG_S / width_s))
    seen = bins[bins["track"].notna()]
    people = {
        key: person.set_index(person["start_s"].div(width_s).round().astype(int))
        for key, person in seen.groupby(["video", "track"], sort=False)
    }
    rows = []
    for pair, one, other in _pairs(people):
        grid = range(
            min(one.index.min(), other.index.min()), max(one.index.max(), other.index.max()) + 1
        )
        who = [pair, *(person.iloc[0][name] for person in (one, other)
                       for name in ("video", "track", "name"))]  # fmt: skip
        for measure in measures:
            first, second = (
                person[f"mean_{measure}"].reindex(grid).to_numpy(float) for person in (one, other)
            )
            found = synchrony(first, second, longest)
            if found is not None:
                lag, r, n, p = found
                rows.append((*who, measure, lag * width_s, r, n, p))
    return rows


def _pairs(
    people: dict[tuple[str, int], pandas.DataFrame],
) -> Iterator[tuple[str, pandas.DataFrame, pandas.DataFrame]]:
    """What joins two people, and both."""
    of_video: dict[str, list[pandas.DataFrame]] = {}
    for (video, _), person in people.items():
        of_video.setdefault(video, []).append(person)
    for video, persons in of_video.items():
        for one, other in combinations(persons, 2):
            yield video, one, other
    of_pair: dict[str, list[pandas.DataFrame]] = {}
    for persons in of_video.values():
        main = max(persons, key=lambda person: person["seen_share"].sum())
        pair = main.iloc[0].get(PAIR)
        if isinstance(pair, str) and pair:
            of_pair.setdefault(pair, []).append(main)
    for pair, mains in of_pair.items():
        for one, other in combinations(mains, 2):
            yield pair, one, other
