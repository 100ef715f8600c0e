"""Columns that tables over all results share, for their codebooks."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Literal

import pandas

from models.emotions import EMOTIONS
from stages.columns import TIMELINE, Column, TimelineColumn

MEASURES = (*EMOTIONS, "valence")
"""What means and maxima are of, beside further columns."""

WORDS = {column.name: column.mean_of or "" for column in TIMELINE}
"""What a measure is called in a description."""

BASELINE_MEASURES = tuple(f"baseline_{name}" for name in MEASURES)
"""The same, each person compared with their own neutral face."""

SHARE = "share, 0 to 1"

VIDEO = Column("video", "Folder of the video within the output folder.", type="string")
TRACK = Column(
    "track",
    "Number of the person in this video, from 1; of several tracks of one name, the first. Empty "
    "where the video shows nobody.",
    type="integer",
)
NAME = Column("name", "Name of the person, from --names; empty without one.", type="string")
SEEN = Column("seen_share", "Share of the time for which the person's face is seen.", SHARE)
USABLE = Column(
    "usable_share",
    "Share of the time seen for which the face is usable: means and maxima are over this time. "
    "Empty where it is not seen.",
    SHARE,
)
EMPTY = "Empty without usable time."


UNITS = {column.name: column.unit for column in TIMELINE}


def means(measures: Iterable[str] = MEASURES) -> tuple[Column, ...]:
    return tuple(
        Column(f"mean_{name}", f"Mean {WORDS[name]}, over usable time. {EMPTY}", UNITS[name])
        for name in measures
    )


def maxima() -> tuple[Column, ...]:
    return tuple(
        Column(f"max_{name}", f"Largest {WORDS[name]}, in usable time. {EMPTY}", UNITS[name])
        for name in MEASURES
    )


def of_further(
    further: Iterable[TimelineColumn], kinds: Sequence[Literal["mean", "max"]] = ("mean", "max")
) -> tuple[Column, ...]:
    """Means, or also maxima, of columns beyond the seven expressions and valence."""
    begins = {"mean": "Mean", "max": "Largest"}
    return tuple(
        Column(
            f"{kind}_{column.name}",
            f"{begins[kind]} {column.mean_of}, over usable time. {EMPTY}",
            column.unit,
        )
        for kind in kinds
        for column in further
    )


def baselines() -> tuple[Column, ...]:
    return tuple(
        Column(
            name,
            f"Mean {WORDS[name.removeprefix('baseline_')]}, the person compared with their own "
            "neutral face, over usable time. Empty also for a person without such a stretch.",
            UNITS[name.removeprefix("baseline_")],
        )
        for name in BASELINE_MEASURES
    )


def told(table: pandas.DataFrame, names: Iterable[str], origin: str) -> tuple[Column, ...]:
    """Columns that a user added, as they are in a table of text.

    Args:
        origin: which of the user's tables they come from.
    """
    return tuple(Column(name, f"From {origin}.", type=_type(table[name])) for name in names)


def _type(cells: pandas.Series) -> Literal["number", "string"]:
    given = cells.dropna()
    given = given[given != ""]
    numbers = pandas.to_numeric(given, errors="coerce")
    return "number" if len(given) and numbers.notna().all() else "string"
